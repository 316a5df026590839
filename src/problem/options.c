#include "problem/options.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"

/* Names in the order of an enumeration; NULL past the end. */
static const char *method_name(size_t index)
{
    static const char *const names[] = {"march", "picard", "linear", NULL};
    return names[index];
}

static const char *response_name(size_t index)
{
    static const char *const names[] = {"auto", "pathwise", "stein", NULL};
    return names[index];
}

static const char *history_name(size_t index)
{
    static const char *const names[] = {"auto", "full", "merged", NULL};
    return names[index];
}

static const char *averages_name(size_t index)
{
    static const char *const names[] = {"auto", "sampled", NULL};
    return names[index];
}

static const char *entries_name(size_t index)
{
    static const char *const names[] = {"gaussian", "rademacher", "uniform", NULL};
    return names[index];
}

#define FIELD(member) .offset = offsetof(sgdmft_problem, member), .width = sizeof(((sgdmft_problem *)0)->member)
#define ABOVE(end) .low = (end), .low_open = 1, .high = HUGE_VAL
#define AT_LEAST(end) .low = (end), .high = HUGE_VAL

static const option_section sections[SECTION_COUNT] = {
    {"", "The dynamics and their constants."},
    {"momentum", "Momentum (heavy ball), of velocity 0 at t = 0: `rate` for sub-linear batches, `beta` with "
                 "batch_fraction. Neither: no momentum."},
    {"model", "Label, prediction and loss of a sample. Variables: `s` (or `s1`, `s2`, ...) the signals, which are the "
              "preactivations of the teacher; `eps` (`eps1`, ...) standard normal noise; `r` (`r1`, ...) the "
              "preactivations of the student; `y` (`y1`, ...) the label; `f` (`f1`, ...) the prediction; `t` the "
              "time."},
    {"initial", "Coordinates of student and teacher at t = 0: their second moments q, m and rho, which must make "
                "[[q, m], [m^T, rho]] positive semi-definite, or their law, from which q, m and rho are computed."},
    {"observables", "Quantities that you define, `name: \"expression\"`. Each is averaged over the training law "
                    "(column train_NAME) and the test law (column test_NAME)."},
    {"numerics", "How the equations are solved."},
    {"output", "Output times and histograms."},
    {"simulate", "Finite systems with synthetic data. Only `sgdmft simulate` uses this section."},
};

/* clang-format off */
static const option table[OPTION_COUNT] = {
    [OPT_DYNAMICS] = {.key = "dynamics", .type = OPTION_CHOICE, FIELD(dynamics), .preset = "sgd",
        .choice = process_dynamics, .choice_doc = process_dynamics_doc, .doc = "Which dynamics."},
    [OPT_SAMPLING] = {.key = "sampling", .type = OPTION_CHOICE, FIELD(sampling), .preset = "replacement",
        .choice = process_sampling, .choice_doc = process_sampling_doc,
        .doc = "How dynamics: sgd goes through the samples."},
    [OPT_BATCH_FRACTION] = {.key = "batch_fraction", .type = OPTION_REAL, FIELD(batch_fraction), .preset = "0.0",
        .low = 0, .high = 1, .unit = "of the data",
        .doc = "Size b of the batches of dynamics: sgd. 0: of any number of samples that is a vanishing part of the data, "
               "with the same curves for all; otherwise a step visits b n samples at once and takes the time b, and "
               "curves are at steps. 1 is full-batch gradient descent. With reshuffle and cyclic 1/b must be whole."},
    [OPT_DELTA] = {.key = "delta", .type = OPTION_REAL, FIELD(delta), .example = "2.0",
        .required = "required unless dynamics is online", ABOVE(0), .unit = "n/d",
        .doc = "Samples per dimension. Online dynamics do not use it."},
    [OPT_ETA] = {.key = "eta", .type = OPTION_RATE, FIELD(eta), .preset = "1.0", ABOVE(0),
        .unit = "step per visit",
        .doc = "Learning rate: one visit moves the preactivation r of the visited sample by -eta dloss/dr. A "
               "number, or an expression in t such as \"1/(1+t)\"."},
    [OPT_LAMBDA] = {.key = "lambda", .type = OPTION_REAL, FIELD(lambda), .preset = "0.0", AT_LEAST(0),
        .unit = "per unit of t",
        .doc = "Ridge: the penalty (lambda/2) |theta|^2. For online dynamics, lambda' of the theory, per unit "
               "of tau."},
    [OPT_PENALTY] = {.key = "penalty", .type = OPTION_EXPRESSION, FIELD(penalty), .example = "0.1*log(cosh(th1))",
        .doc = "Penalty of one coordinate of theta in place of the ridge: an expression in th1..thk."},
    [OPT_HORIZON] = {.key = "horizon", .type = OPTION_REAL, FIELD(horizon), .example = "5.0", .required = "required",
        ABOVE(0), .unit = "visits per sample",
        .doc = "Time T at which the solution ends. For gradient-flow it counts eta*t with eta = 1; for online, "
               "tau = delta*t."},
    [OPT_MOMENTUM_RATE] = {.key = "momentum.rate", .type = OPTION_REAL, FIELD(momentum.rate), .example = "2.0", ABOVE(0),
        .unit = "per visit of a sample",
        .doc = "gamma, for sub-linear batches of kappa samples: the velocity keeps 1 - gamma kappa/n of itself in a step, "
               "so that it remembers 1/gamma epochs. As gamma grows, plain SGD comes back."},
    [OPT_MOMENTUM_BETA] = {.key = "momentum.beta", .type = OPTION_REAL, FIELD(momentum.beta), .example = "0.9", .low = 0,
        .high = 1, .high_open = 1, .unit = "per step",
        .doc = "The part of itself that the velocity keeps in a step, with batch_fraction > 0: v <- beta v - (gradient of "
               "the step), theta <- theta + v."},

    [OPT_STUDENTS] = {.key = "model.students", .type = OPTION_INTEGER, FIELD(model.students), .preset = "1",
        .min = 1, .max = 8, .doc = "Number k of student directions theta."},
    [OPT_TEACHERS] = {.key = "model.teachers", .type = OPTION_INTEGER, FIELD(model.teachers), .preset = "1",
        .min = 1, .max = 8, .doc = "Number k* of teacher directions theta*."},
    [OPT_LABEL] = {.key = "model.label", .type = OPTION_EXPRESSIONS, FIELD(model.label),
        .example = "tanh(s) + 0.3*eps", .required = "required unless model.plugin or model.callbacks is given", .min = 1, .max = 8,
        .doc = "Label y in s and eps; a list gives y1, y2, ..."},
    [OPT_PREDICT] = {.key = "model.predict", .type = OPTION_EXPRESSIONS, FIELD(model.predict), .example = "tanh(r)",
        .min = 1, .max = 64,
        .doc = "Prediction f in r and t, a name for a part of the loss; a list gives f1, f2, ... The loss may also "
               "use r directly."},
    [OPT_LOSS] = {.key = "model.loss", .type = OPTION_EXPRESSIONS, FIELD(model.loss), .example = "(f - y)^2/2",
        .required = "required unless model.plugin or model.callbacks is given", .min = 1, .max = 1,
        .doc = "Loss of one sample in r, f, y and t. Its derivatives in r are taken exactly. A gradient that grows faster "
               "than linearly in r leaves no limit where samples are visited again: such a loss is refused, see "
               "docs/theory.md, section 9."},
    [OPT_PLUGIN] = {.key = "model.plugin", .type = OPTION_PATH, FIELD(model.plugin), .example = "./libmymodel.so",
        .doc = "Shared object with label and loss in C (sgdmft/plugin.h), instead of label, predict and loss."},
    [OPT_CALLBACKS] = {.key = "model.callbacks", .type = OPTION_NAME, FIELD(model.callbacks), .example = "my model",
        .doc = "Name of a model that a program gives to the library (sgdmft/model.h), instead of label, predict and loss. "
               "Files of its runs have this key. They can be read and plotted, but what needs label or loss, as solving "
               "again, needs that program."},

    [OPT_Q] = {.key = "initial.q", .type = OPTION_MATRIX, FIELD(initial.q), .preset_words = "identity",
        .example = "[[1.0]]", .rows = SIDE_STUDENTS, .columns = SIDE_STUDENTS, .identity = 1, .symmetric = 1,
        .doc = "E theta0 theta0^T. May be singular: 0 starts from theta = 0."},
    [OPT_M] = {.key = "initial.m", .type = OPTION_MATRIX, FIELD(initial.m), .preset_words = "zero",
        .example = "[[0.0]]", .rows = SIDE_STUDENTS, .columns = SIDE_TEACHERS, .doc = "E theta0 theta*^T."},
    [OPT_RHO] = {.key = "initial.rho", .type = OPTION_MATRIX, FIELD(initial.rho), .preset_words = "identity",
        .example = "[[1.0]]", .rows = SIDE_TEACHERS, .columns = SIDE_TEACHERS, .identity = 1, .symmetric = 1,
        .doc = "E theta* theta*^T. Must be positive definite."},
    [OPT_TEACHER_LAW] = {.key = "initial.teacher", .type = OPTION_EXPRESSIONS, FIELD(initial.teacher),
        .example = "if(u < 0.1, z/sqrt(0.1), 0)", .min = 1, .max = 8,
        .doc = "Law of a coordinate of theta*: an expression in independent standard normals z (z1, z2, ...) "
               "and uniforms u (u1, u2, ...) on (0,1), or a list for several teachers. If only initial.student "
               "is given, the coordinates of theta* are independent standard normals."},
    [OPT_STUDENT_LAW] = {.key = "initial.student", .type = OPTION_EXPRESSIONS, FIELD(initial.student),
        .example = "0.2*ths + sqrt(0.96)*z2", .min = 1, .max = 8,
        .doc = "Law of a coordinate of theta0, or a list for several students: an expression in ths (ths1, "
               "ths2, ...), the coordinate of theta*, and in the z and u of initial.teacher. If only "
               "initial.teacher is given, the coordinates of theta0 are independent standard normals."},
    [OPT_SAMPLES] = {.key = "initial.samples", .type = OPTION_PATH, FIELD(initial.samples),
        .example = "./coordinates.csv",
        .doc = "CSV file with samples of the coordinates in place of their law: a header "
               "th1,..,thk,ths1,..,thsk*, then rows of equal weight."},

    [OPT_OBSERVABLES] = {.key = "observables", .type = OPTION_NAMED, FIELD(observables), .example = "y*r",
        .min = 0, .max = 256,
        .doc = "Any number of lines NAME: \"expression\" in r, s, eps, y, f and t. A name is made of letters, digits "
               "and _, starts with a letter, and is neither \"loss\" nor ends in \"_se\"."},

    [OPT_ACCURACY] = {.key = "numerics.accuracy", .type = OPTION_REAL, FIELD(numerics.accuracy), .preset = "5.0e-3",
        .low = 0, .low_open = 1, .high = 0.5,
        .doc = "What is asked for: at every output time the standard error of every curve, noise and step error "
               "together, is below this part of its natural scale, which is for losses and q_aa their value at that "
               "time, but at least a hundredth of their largest one, for overlaps sqrt(q_aa q_bb) and "
               "sqrt(q_aa rho_bb), and for observables their largest magnitude; R has error bars, but is not asked "
               "to meet it. The solver then chooses all of paths, replicas, steps, tolerance and response that are "
               "not given, and says what it chose."},
    [OPT_CONTROL] = {.key = "numerics.control", .type = OPTION_EXPRESSIONS, FIELD(numerics.control),
        .example = "R11", .min = 1, .max = 64,
        .doc = "Names of further columns that are to meet the accuracy, e.g. R11, the response to the start, on its "
               "natural scale 1."},
    [OPT_TIME_LIMIT] = {.key = "numerics.time_limit", .type = OPTION_REAL, FIELD(numerics.time_limit),
        .example = "600", .low = 0, .low_open = 1, .high = HUGE_VAL, .unit = "seconds",
        .doc = "The solve, or a simulation that adds repetitions for an accuracy, ends after this time with the accuracy "
               "that it has reached."},
    [OPT_PATHS] = {.key = "numerics.paths", .type = OPTION_INTEGER, FIELD(numerics.paths), .preset = "20000",
        .min = 64, .max = 1000000000,
        .doc = "Monte-Carlo paths per replica. This and the next three, where they are not given, follow from "
               "accuracy; the linear and the online solver use their defaults."},
    [OPT_REPLICAS] = {.key = "numerics.replicas", .type = OPTION_INTEGER, FIELD(numerics.replicas), .preset = "16",
        .min = 2, .max = 1024,
        .doc = "Independent solves; the differences between them give the noise of every curve."},
    [OPT_STEPS] = {.key = "numerics.steps", .type = OPTION_INTEGER, FIELD(numerics.steps), .preset = "100",
        .min = 4, .max = 100000,
        .doc = "Time steps on [0, T], rounded up to a multiple of four for the coarser grids."},
    [OPT_TOLERANCE] = {.key = "numerics.tolerance", .type = OPTION_REAL, FIELD(numerics.tolerance),
        .preset = "1.0e-8", .low = 0, .low_open = 1, .high = 1e-2,
        .doc = "Self-consistency residual at which a step (march) or a sweep (picard) is accepted."},
    [OPT_SEED] = {.key = "numerics.seed", .type = OPTION_INTEGER, FIELD(numerics.seed), .preset = "1",
        .min = 0, .max = UINT64_MAX, .doc = "Seed of all random numbers, in every subcommand."},
    [OPT_METHOD] = {.key = "numerics.method", .type = OPTION_CHOICE, FIELD(numerics.method), .preset = "march",
        .choice = method_name,
        .doc = "march solves step by step in time; picard sweeps over the whole of [0, T], as a check; linear "
               "is exact and without sampling, for squared loss with a linear label, one student and one "
               "teacher."},
    [OPT_RESPONSE] = {.key = "numerics.response", .type = OPTION_CHOICE, FIELD(numerics.response), .preset = "auto",
        .choice = response_name,
        .doc = "How the response is estimated: pathwise averages derivatives of paths, which needs a smooth "
               "gradient; stein correlates gradients with the noise of the field, which also works where the "
               "gradient jumps; auto chooses."},
    [OPT_HISTORY] = {.key = "numerics.history", .type = OPTION_CHOICE, FIELD(numerics.history), .preset = "auto",
        .choice = history_name,
        .doc = "What paths and kernels keep of the past: full keeps every step; merged joins old steps, so that the "
               "time of a solve grows like the horizon and the memory of a path hardly at all, for sgd and sme with a "
               "ridge; auto merges at long horizons."},
    [OPT_AVERAGES] = {.key = "numerics.averages", .type = OPTION_CHOICE, FIELD(numerics.averages), .preset = "auto",
        .choice = averages_name,
        .doc = "How one-pass SGD averages over a fresh sample: sampled takes random points, as for labels with jumps; "
               "auto takes them only where neither closed forms nor Gauss rules will do."},
    [OPT_GRADING] = {.key = "numerics.grading", .type = OPTION_REAL, FIELD(numerics.grading), .preset = "1.5",
        .low = 1, .high = 16,
        .doc = "Steps are shorter at early times: t_i = T (i/steps)^grading. Where gradient flow chooses its steps, it "
               "chooses this as well."},
    [OPT_EXTRAPOLATE] = {.key = "numerics.extrapolate", .type = OPTION_BOOL, FIELD(numerics.extrapolate),
        .preset = "true",
        .doc = "Extrapolate the curves to zero time step from steps and steps/2; steps/4 then gives the "
               "remaining error."},
    [OPT_PASSES] = {.key = "numerics.passes", .type = OPTION_INTEGER, FIELD(numerics.passes_max), .preset = "50",
        .min = 1, .max = 10000,
        .doc = "Number of corrector passes of a step, or of sweeps, within which the tolerance must be "
               "reached."},

    [OPT_TIMES] = {.key = "output.times", .type = OPTION_INTEGER, FIELD(output.times), .preset = "51",
        .min = 2, .max = 100001,
        .doc = "Number of output times, equally spaced, 0 and T included. With batch_fraction > 0 they are the nearest "
               "steps, or all steps if there are fewer."},
    [OPT_HISTOGRAMS] = {.key = "output.histograms", .type = OPTION_REALS, FIELD(output.histograms),
        .example = "[0, 1, 5]", .min = 1, .max = 1000, AT_LEAST(0), .unit = "visits per sample",
        .doc = "Times, at most T, at which `sgdmft solve` gives the density of each student's coordinates."},
    [OPT_BINS] = {.key = "output.bins", .type = OPTION_INTEGER, FIELD(output.bins), .preset = "101",
        .min = 1, .max = 100000, .doc = "Bins of a histogram."},

    [OPT_D] = {.key = "simulate.d", .type = OPTION_INTEGER, FIELD(simulate.d), .preset = "2000",
        .min = 2, .max = 100000000, .doc = "Dimension of the simulated system; it has n = delta d samples."},
    [OPT_BATCH] = {.key = "simulate.batch", .type = OPTION_INTEGER, FIELD(simulate.batch), .preset = "1",
        .min = 1, .max = 1000000000000, .unit = "samples",
        .doc = "Batch size kappa of one step. Not used with batch_fraction > 0."},
    [OPT_REPETITIONS] = {.key = "simulate.repetitions", .type = OPTION_INTEGER, FIELD(simulate.repetitions),
        .preset = "20", .min = 2, .max = 1000000,
        .doc = "Independent simulations; the differences between them give every standard error. Where accuracy is "
               "given and this is not, it is 20 to begin with, and more are added until the accuracy is met."},
    [OPT_ENTRIES] = {.key = "simulate.entries", .type = OPTION_CHOICE, FIELD(simulate.entries),
        .preset = "gaussian", .choice = entries_name, .doc = "Law of the entries of the data matrix."},
    [OPT_STEP] = {.key = "simulate.step", .type = OPTION_REAL, FIELD(simulate.step), .preset = "0.02", .low = 0,
        .low_open = 1, .high = 1, .unit = "visits per sample",
        .doc = "Largest time step of sme; the error of the curves is proportional to its square."},
};
/* clang-format on */

const option *option_get(option_id id)
{
    return &table[id];
}

const option_section *option_get_section(int section)
{
    return &sections[section];
}

int option_find_section(const char *name)
{
    for (int i = 1; i < SECTION_COUNT; i++)
        if (strcmp(sections[i].name, name) == 0)
            return i;
    return -1;
}

int option_section_of(option_id id)
{
    const char *key = table[id].key;
    size_t length = strcspn(key, ".");
    for (int i = 1; i < SECTION_COUNT; i++)
        if (strlen(sections[i].name) == length && strncmp(sections[i].name, key, length) == 0)
            return i;
    return 0;
}

const char *option_leaf(option_id id)
{
    const char *dot = strchr(table[id].key, '.');
    return dot ? dot + 1 : table[id].key;
}

option_id option_find(int section, const char *leaf)
{
    for (option_id id = 0; id < OPTION_COUNT; id++)
        if (option_section_of(id) == section && id != OPT_OBSERVABLES && strcmp(option_leaf(id), leaf) == 0)
            return id;
    return OPTION_COUNT;
}

option_id option_by_key(const char *key)
{
    option_id id = 0;
    while (id < OPTION_COUNT && (id == OPT_OBSERVABLES || strcmp(table[id].key, key) != 0))
        id++;
    return id;
}

const char *option_type_name(const option *o)
{
    switch (o->type) {
    case OPTION_CHOICE: return "choice";
    case OPTION_REAL: return "number";
    case OPTION_REALS: return "number or list";
    case OPTION_INTEGER: return "integer";
    case OPTION_BOOL: return "true or false";
    case OPTION_EXPRESSION: return "expression";
    case OPTION_RATE: return "number or expression";
    case OPTION_EXPRESSIONS: return o->max > 1 ? "expression or list" : "expression";
    case OPTION_PATH: return "path";
    case OPTION_NAME: return "name";
    case OPTION_MATRIX: return "matrix";
    case OPTION_NAMED: return "expression";
    }
    return "value";
}

static const char *side_name(option_side side)
{
    return side == SIDE_STUDENTS ? "k" : "k*";
}

static void write_choices(FILE *out, const option *o)
{
    for (size_t i = 0; o->choice(i); i++)
        fprintf(out, "%s%s", i ? ", " : "", o->choice(i));
}

char *option_doc(const option *o)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fputs(o->doc, out);
    for (size_t i = 0; o->choice_doc && o->choice(i); i++)
        fprintf(out, "%s %s: %s", i ? ";" : "", o->choice(i), o->choice_doc(i));
    if (o->choice_doc)
        fputc('.', out);
    int failed = ferror(out);
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

/* An end of a range: 0, 0.01, 4. */
static void write_end(FILE *out, const char *relation, double end)
{
    number_text number = number_write(end);
    size_t length = strlen(number.text);
    if (length > 2 && strcmp(number.text + length - 2, ".0") == 0)
        length -= 2;
    fprintf(out, "%s %.*s", relation, (int)length, number.text);
}

static void write_range(FILE *out, const option *o)
{
    if (o->low > -HUGE_VAL)
        write_end(out, o->low_open ? ">" : ">=", o->low);
    if (o->high < HUGE_VAL)
        write_end(out, o->high_open ? " and <" : " and <=", o->high);
}

char *option_allowed(const option *o, int with_type)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    if (with_type && (o->type == OPTION_REAL || o->type == OPTION_INTEGER))
        fprintf(out, "%s ", option_type_name(o));
    switch (o->type) {
    case OPTION_CHOICE: write_choices(out, o); break;
    case OPTION_REAL: write_range(out, o); break;
    case OPTION_REALS:
        fprintf(out, "up to %" PRIu64 " numbers ", o->max);
        write_range(out, o);
        fputs(", ascending", out);
        break;
    case OPTION_INTEGER: fprintf(out, "%" PRIu64 " to %" PRIu64, o->min, o->max); break;
    case OPTION_BOOL: fputs("true, false", out); break;
    case OPTION_EXPRESSION: fputs("an expression", out); break;
    case OPTION_RATE:
        fputs("number ", out);
        write_range(out, o);
        fputs(", or an expression in t", out);
        break;
    case OPTION_EXPRESSIONS:
        if (o->max > 1)
            fprintf(out, "an expression, or a list of %" PRIu64 " to %" PRIu64, o->min, o->max);
        else
            fputs("one expression", out);
        break;
    case OPTION_PATH: fputs("a file name", out); break;
    case OPTION_NAME: fputs("a name", out); break;
    case OPTION_MATRIX:
        fprintf(out, "%s x %s%s", side_name(o->rows), side_name(o->columns), o->symmetric ? ", symmetric" : "");
        break;
    case OPTION_NAMED: fprintf(out, "up to %" PRIu64, o->max); break;
    }
    int failed = ferror(out);
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
