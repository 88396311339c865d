"""A travel agency by hand: the models, admin and resources that `definitions/travel` describes, as ordinary Django."""
