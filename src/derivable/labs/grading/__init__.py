"""Grades copies of a lab sheet: each in a process of its own, with pages, marks and a CSV.

This is no sandbox. The limits and the guard keep mistakes and careless code from disturbing the
grading or the machine; code that is written to get around them can do what its user can do. Grade
copies that you do not trust as a user, in a container or on a machine that has nothing to lose.
"""
