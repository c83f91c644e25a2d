"""Pages for the operator, on the admin listener below `/dashboard/`: what the bridge does, why, and what to do about it.

`pages` is the door: who asks, may they, and which page. `access` and `sessions` say who somebody is. Each page is a module. `parts`
is what they need of the bridge. jinja2 and the pages are loaded when somebody first looks."""
