"""`dutyroom doctor`: what is right and wrong with an installation, one finding a line, each with what to do."""
