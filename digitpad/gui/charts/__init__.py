"""Parts of charts: a fast canvas, legends, and copying a picture."""
