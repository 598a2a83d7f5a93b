"""From raw channels to a body on a stage."""
