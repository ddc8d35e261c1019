"""What a person looks at: charts, and the folder that holds a run."""
