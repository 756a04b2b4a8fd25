"""What steps are, what passes between them, and how they are found."""
