"""Form families as data: one TOML a family, and ``fields.toml`` with the canonical fields and their printed labels.

A form without a TOML is read by the general reader (``corpus.tables``, ``corpus.labelled``), driven by ``fields.toml``
alone: a new town usually needs no more than its labels there. A family gets a TOML of its own when its text needs it:

=============  =====================================================================================================
key            says
=============  =====================================================================================================
strategy       ``labels`` (labels at line starts in a fixed order), ``patterns`` (text out of order), ``cells``
recognise      patterns all of which stand in the text of every document of the family
unit           the money unit of its figures
[sheet]        ``start`` of a sheet, and where ``name``, ``department`` and ``year`` stand (named groups)
[[label]]      for ``labels``: the labels in their order, with the canonical field
[[section]]    for ``patterns``: label, field and a pattern with the group ``value`` (and ``label`` to print its own)
[[columns]]    a block whose cells follow each other in the text, with the labels and fields of its columns
[[triple]]     three columns of paragraphs (planned, done, next) told apart by tense
[[fact]]       patterns with groups, what each group is (``values``, ``texts``), and ``checks`` by arithmetic
[[rows]]       rows of figures broken into pieces, and how the pieces join
[summary]      lists of programmes with their marks
=============  =====================================================================================================

Patterns see normalised text (NFKC); ``{N}`` is a figure, ``{B}`` blank lines, ``{L}`` a line, ``{P}`` a paragraph.
``after`` limits a pattern to the text after a mark, ``all`` takes every match. Years are offsets from the sheet's own.
"""
