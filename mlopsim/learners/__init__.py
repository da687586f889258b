"""What is trained: closed-form batch learners and scikit-learn presets."""
