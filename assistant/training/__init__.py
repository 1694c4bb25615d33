"""How the second opinion on a question's intent is made: rows, training and measuring."""
