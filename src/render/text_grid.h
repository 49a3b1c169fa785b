/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_grid.h - the columns that boxes, time ladder and tables of one row of steps share
 *
 * FLOW_INDENT columns for labels, one cell per step, a last column for the whole lead time.
 * Where the width allows, the boxes stand apart with arrows between; else they share walls.
 */
#ifndef GEMBA_RENDER_TEXT_GRID_H
#define GEMBA_RENDER_TEXT_GRID_H

#include "src/render/text.h"

#define GRID_LEAD_COLUMNS 9
#define GRID_NAME_BYTES 512

struct grid {
	const struct text *text;
	const struct family *family;
	struct canvas *canvas;
	unsigned int inner; /* columns between the walls of a box */
	unsigned int gap;   /* columns between two boxes; 0: one wall for both */
	size_t first;	    /* step in the first cell */
	size_t nr;	    /* cells */
	size_t nr_per_row;
	unsigned int y; /* next free row */
};

/* Finds inner, gap and nr_per_row for all steps of the family. */
void grid_measure(struct grid *self);
bool grid_is_last(const struct grid *self); /* the row with the family's last step */
unsigned int grid_left(const struct grid *self, size_t cell);  /* column of its left wall */
unsigned int grid_right(const struct grid *self, size_t cell); /* of its right wall */
const struct step *grid_step(const struct grid *self, size_t cell);

void grid_label(struct grid *self, const char *label);
void grid_value(struct grid *self, size_t cell, enum style style, const char *text);
/* In the last column, of the last row of steps only. */
void grid_lead(struct grid *self, enum style style, const char *text);

/* The lines of the data boxes: adds rows from y on. */
void grid_data(struct grid *self);
/* The castellated time ladder of means, then norm, p99, p99.99: adds rows from y on. */
void grid_ladder(struct grid *self);

#endif
