"""The way back: rungs, gates that judge them, and the climb of one closed scope after another."""
