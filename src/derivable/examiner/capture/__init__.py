"""What there is to examine: the Functions of files, modules and packages."""
