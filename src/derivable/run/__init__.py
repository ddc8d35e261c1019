"""What is kept of a comparison in files: runs that go on, and models that are used elsewhere."""
