// SPDX-License-Identifier: BSD-2-Clause
/*
 * around.c - the code that a function lies in: where jumps into it may come from
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/symbol/image.h"
#include "src/symbol/place.h"

#define MAX_BYTES ((uint64_t)512 << 20)

static int read_segment(const struct image *image, uint64_t vaddr, struct place_code *out)
{
	const Elf64_Phdr *segment = image_text_at(image, vaddr);
	uint64_t nr_bytes = segment ? segment->p_filesz : 0;
	int err;

	if (!nr_bytes || nr_bytes > MAX_BYTES)
		return -ENOENT;
	out->bytes = malloc(nr_bytes);
	if (!out->bytes)
		return -ENOMEM;
	err = image_read(image, segment->p_offset, out->bytes, nr_bytes);
	if (err) {
		free(out->bytes);
		out->bytes = NULL;
		return err;
	}
	out->nr_bytes = nr_bytes;
	out->vaddr = segment->p_vaddr;
	return 0;
}

int place_code_read(struct place_code *out, const struct place *place)
{
	int fd = open(place->open_path, O_RDONLY | O_CLOEXEC);
	struct image image;
	int err;

	*out = (struct place_code){ .dev = place->dev, .inode = place->inode };
	if (fd < 0)
		return -errno;
	err = image_open(&image, fd);
	if (!err) {
		err = read_segment(&image, place->vaddr, out);
		image_close(&image);
	}
	close(fd);
	return err;
}

void place_code_free(struct place_code *self)
{
	free(self->bytes);
	self->bytes = NULL;
}
