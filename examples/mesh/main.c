/* mesh: the mesh mover of Hu, Wang and Ma 2024 (ICLR, arXiv:2312.05583) on a density whose optimal
 * mesh is known: Gauss-Newton in cosines and with a net. */
#include "examples/mesh/mesh.h"

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs(
        "set multiplot layout 1,2\nset size square\nset title 'the mesh'\nunset key\n"
        "plot $rows using (strcol(1) eq 'mesh' ? $5 : NaN):6 with points pt 7 ps 0.3\n"
        "set size nosquare\nset logscale y\nset format y '10^{%L}'\nset grid lc rgb '#cccccc'\n"
        "set key top right\nset title 'error of the map, by a net'\nset xlabel 'processor "
        "seconds'\n"
        "plot $rows using (strcol(1) eq 'natural' ? $4 : NaN):5 with lines lw 1.5 title 'natural', "
        "$rows using (strcol(1) eq 'adamw 0.01' ? $4 : NaN):5 with lines lw 1.5 title 'adamw "
        "0.01', "
        "$rows using (strcol(1) eq 'adamw 0.001' ? $4 : NaN):5 with lines lw 1.5 title 'adamw "
        "0.001'\n"
        "unset multiplot\n",
        out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {cosines, nets, NULL};
    paper p = {.name = "mesh",
               .about = "Moves a mesh after a density by the equation of Monge and Ampere.",
               .header = "what,step,other,cpu_seconds,x,y",
               .option = "seconds",
               .counted = "processor time of each training of a net",
               .samples = 4,
               .least = 1,
               .most = 3600,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 1000,
               .height = 420};
    return paper_main(&p, argc, argv);
}
