"""What was edited by hand: told, committed through the gate, or taken back."""
