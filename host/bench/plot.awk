# SPDX-License-Identifier: GPL-2.0-only
#
# plot.awk - draw figures as bars, each of one or several pieces
#
#   awk -v title=TEXT -v unit=TEXT -f plot.awk >out.svg
#
# Reads lines "BAR<tab>PIECE<tab>VALUE". Pieces of a bar follow each other. A piece
# has the same colour in all bars.

BEGIN {
	FS = "\t"
	split("#4e79a7 #f28e2b #e15759 #76b7b2 #59a14f #edc948 #b07aa1 #9c755f #bab0ac", colours, " ")
	left = 190; width = 560; step = 34
}

function escape(text) {
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	return text
}

function text(x, y, what, more) {
	printf "<text x=\"%d\" y=\"%d\" %s>%s</text>\n", x, y, more, escape(what)
}

$3 != "" {
	if (!($1 in row))
		bar[row[$1] = ++bars] = $1
	if (!($2 in number))
		piece[number[$2] = ++pieces] = $2
	n = ++count[$1]
	what[$1, n] = $2
	value[$1, n] = $3 + 0
	sum[$1] += $3 > 0 ? $3 : 0
	if (sum[$1] > max)
		max = sum[$1]
}

END {
	legend = pieces > 1 ? pieces : 0
	height = 60 + bars * step + legend * 18
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\"", left + width + 110, height
	print " font-family=\"sans-serif\" font-size=\"12\">"
	print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
	text(10, 24, title (unit == "" ? "" : ", " unit), "font-size=\"15\"")
	for (b = 1; b <= bars; b++) {
		name = bar[b]
		y = 30 + b * step - 18
		x = left
		text(left - 8, y + 15, name, "text-anchor=\"end\"")
		for (i = 1; i <= count[name]; i++) {
			w = max > 0 && value[name, i] > 0 ? width * value[name, i] / max : 0
			printf "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"22\" fill=\"%s\"/>\n", \
				x, y, w, colours[(number[what[name, i]] - 1) % 9 + 1]
			x += w
		}
		total = count[name] == 1 ? value[name, 1] : sum[name]
		text(x + 6, y + 15, total >= 1e6 ? sprintf("%.1f M", total / 1e6) : sprintf("%.0f", total))
	}
	for (p = 1; p <= legend; p++) {
		y = 48 + bars * step + p * 18 - 12
		printf "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\"/>\n", left, y, \
			colours[(p - 1) % 9 + 1]
		text(left + 18, y + 10, piece[p])
	}
	print "</svg>"
}
