"""A puppet in moving clothes, drawn by the project itself: footage to try renderers with, whose truth is known."""
