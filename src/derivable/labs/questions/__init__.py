"""The kinds of questions, each with the function that judges an answer."""
