"""How the bundled encoder was made: rows, vocabulary, training and measuring."""
