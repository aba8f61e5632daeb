# The rate of `method` in the rows of sweep.csv with the lowest median of three seeds.
BEGIN { FS = "," }
$1 == method {
    loss[$2, ++seeds[$2]] = $4
}
END {
    for (rate in seeds) {
        a = loss[rate, 1]
        b = loss[rate, 2]
        c = loss[rate, 3]
        low = a < b ? a : b
        high = a < b ? b : a
        median = c < low ? low : c > high ? high : c
        if (best == "" || median < least) {
            best = rate
            least = median
        }
    }
    print best
}
