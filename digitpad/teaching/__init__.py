"""Help pages, terms and lessons: Markdown files, and what is read from them."""
