"""Wrong backwards, each with the cause it must produce, and right ones that must produce none."""
