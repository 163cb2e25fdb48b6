"""HTTP as our programs serve it: bounded heads and bodies, problem documents, the guard against other pages."""
