"""Reports as text, HTML and JSON, in each language."""
