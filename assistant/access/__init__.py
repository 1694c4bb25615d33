"""Who may use hyoka, what they may do, and which sheets they may see."""
