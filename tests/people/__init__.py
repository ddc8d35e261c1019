"""Functions as people write them, without examples(): inputs must be found for each."""
