# Rows of sparse matrices; included by _core.pyx.


cdef class SparseRows:
    """A sparse matrix W for products with few of its rows: row i has entries[k] in the columns places[k] for k from
    offsets[i] to offsets[i + 1]. The arrays are kept, not copied."""

    cdef tp_sparse s
    cdef bint double_precision
    cdef object arrays

    def __cinit__(self, const int64_t[::1] offsets not None, const int32_t[::1] places not None, entries,
                  size_t columns):
        cdef size_t k, count = places.shape[0]
        if offsets.shape[0] == 0 or offsets[0] != 0 or <size_t>offsets[offsets.shape[0] - 1] != count:
            raise ValueError(f"offsets do not run from 0 to {count}, the number of places")
        self.s.rows, self.s.columns = offsets.shape[0] - 1, columns
        for k in range(self.s.rows):
            if offsets[k] > offsets[k + 1]:
                raise ValueError(f"offsets descend at row {k}")
        if columns > INT32_MAX:
            raise ValueError(f"{columns} columns; places are numbers of 32 bits")
        for k in range(count):
            if not 0 <= places[k] < <int32_t>columns:
                raise ValueError(f"place {places[k]} of entry {k} is none of {columns} columns")
        self.s.offsets, self.s.places = &offsets[0], &places[0]
        self.double_precision = entries.dtype.itemsize == sizeof(double)
        if self.double_precision:
            self._take[double](entries, count)
        else:
            self._take[float](entries, count)
        self.arrays = offsets, places, entries

    cdef _take(self, const cython.floating[::1] entries, size_t count):
        check_length(entries, 0, count, "entries")
        self.s.entries = &entries[0]

    def pull(self, at, slopes, to):
        """Add W[i, j] slopes[r] to to[p, j] for all r, where at[r] is p * rows + i; `to` is (points, columns, width)."""
        if self.double_precision:
            self._pull[double](at, slopes, to)
        else:
            self._pull[float](at, slopes, to)

    cdef _pull(self, const int64_t[::1] at, const cython.floating[:, ::1] slopes, cython.floating[:, :, ::1] to):
        cdef size_t count = at.shape[0], width = slopes.shape[1], start = 0, taken, r
        cdef size_t mean = self.arrays[1].shape[0] // max(1, self.s.rows) + 1
        cdef size_t step = max(1, SLICE // (mean * (width + 8)))
        cdef int64_t places = self.s.rows * to.shape[0]
        cdef tp_pull_kernel *run
        check_length(slopes, 0, count, "slopes")
        check_length(to, 1, self.s.columns, "to")
        check_length(to, 2, width, "to")
        for r in range(count):
            if not 0 <= at[r] < places:
                raise ValueError(f"at[{r}] is {at[r]}, which is none of {self.s.rows} rows at {to.shape[0]} points")
        if cython.floating is double:
            run = kernels.pull_f64
        else:
            run = kernels.pull_f32
        while start < count:
            taken = min(step, count - start)
            with nogil:
                run(&self.s, taken, &at[start], width, &slopes[start, 0], &to[0, 0, 0])
            start += taken
            PyErr_CheckSignals()
