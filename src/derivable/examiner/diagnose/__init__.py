"""From wrong gradients to their causes."""
