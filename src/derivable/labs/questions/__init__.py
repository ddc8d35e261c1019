"""The kinds of questions: what is asked, and how an answer is judged."""
