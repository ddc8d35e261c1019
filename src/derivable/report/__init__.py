"""Charts and pages of a comparison, and the folder that holds a run."""
