/* landau: Kim, Son, Kim and Lee 2026 (arXiv:2603.10874), and what is known exactly of its
 * benchmark. */
#include "examples/landau/landau.h"

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs("set multiplot layout 1,2\nset grid lc rgb '#cccccc'\nset xlabel 'step'\n"
          "set title 'implicit score matching, t = 1'\nset ylabel 'loss'\nset key top right\n"
          "plot $rows using (strcol(1) eq 'matching' ? $2 : NaN):3 with lines lw 1.5 title "
          "'training', "
          "$rows using (strcol(1) eq 'matching' ? $2 : NaN):4 with lines lw 1.5 title 'held out', "
          "-1.3007 with lines dt 2 title 'minimum of the law'\n"
          "set title 'Fisher information'\nset ylabel ''\nset xlabel 't'\n"
          "plot $rows using (strcol(1) eq 'steps' ? $2 / 25.0 : NaN):3 with points pt 7 title "
          "'particles', "
          "$rows using (strcol(1) eq 'steps' ? $2 / 25.0 : NaN):4 with lines lw 1.5 title 'exact'\n"
          "unset multiplot\n",
          out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {check_identities, supervised, implicit,
                                              time_steps,       flow_map,   NULL};
    paper p = {
        .name = "landau",
        .about =
            "The Landau equation for Maxwell molecules by particles with learnt scores, against\n"
            "its exact solution.",
        .header = "what,step,first,second,third",
        .option = "steps",
        .counted = "steps of AdamW at each of six rates",
        .samples = 3000,
        .least = 1,
        .most = 1000000,
        .seed = 1,
        .stages = stages,
        .draw = draw,
        .width = 1000,
        .height = 400};
    return paper_main(&p, argc, argv);
}
