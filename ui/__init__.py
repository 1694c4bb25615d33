"""The screens: Gradio blocks over the same assistant that serves HTTP."""
