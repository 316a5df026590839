/* Jumps are found, named and measured; smooth and merely kinked functions pass. */
#include "fixture.h"

static expr_jump find(fixture *f, expr_node node, uint64_t seed)
{
    expr_jump jump;
    assert_int_equal(expr_find_jump(f->ctx, f->graph, node, &f->r, 1, 1, seed, &jump), SGDMFT_OK);
    return jump;
}

static const struct jumping {
    const char *text; /* searched in r */
    const char *function;
    double size; /* 0: depends on y or t */
} jumping[] = {
    {"sign(r)", "sign", 2},
    {"3*sign(r - y) + r^2", "sign", 6},
    {"r > 0.3", "<", 1},
    {"r >= 0.3", "<=", 1},
    {"(r > 0)*exp(-r)", "<", 1},
    {"if(r > y, 2, 5)", "if", 3},
    {"if(r + 1, 2, 5)*sign(r)", "sign", 4}, /* 5 in a single point only */
    {"tanh(sign(r))", "sign", 2 * 0.76159415595576485},
    {"r/abs(r)", "abs", 2},
    {"r/sqrt(r*r)", "sqrt", 2},
    {"atan(1/r)", "/", M_PI},
    {"sign(sin(r))", "sign", 2},
    {"y*(r > 10)", "<", 0},
    {"(r > 30)*2", "<", 2},
    {"max(sign(r), 0)", "sign", 1},
    {"1/(r - 1)", "/", INFINITY},
    {"tan(r)", "tan", INFINITY},
    {"relu(r) > 0", "relu", 1},
    {"(y == 1)*sign(r)", "sign", 2}, /* only where y is in that class */
    {"0.001*sign(r) + 100*r", "sign", 0.002},
};

static void jumps_are_found(void **state)
{
    for (size_t i = 0; i < sizeof jumping / sizeof *jumping; i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            fixture f = fixture_new();
            expr_jump jump = find(&f, fixture_parse(&f, jumping[i].text), seed);
            int wrong = !jump.found || strcmp(jump.function, jumping[i].function) ||
                        (jumping[i].size > 0 && jump.size != jumping[i].size &&
                         !(fabs(jump.size - jumping[i].size) <= 0.01 * jumping[i].size));
            if (wrong)
                fail_msg("%s, seed %d: found %d, \"%s\", %g; expected \"%s\", %g", jumping[i].text, (int)seed, jump.found,
                         jump.function, jump.size, jumping[i].function, jumping[i].size);
            fixture_free(&f);
        }
}

static const char *const continuous[] = {
    "relu(r)", "abs(r - y)", "max(0, 1 - y*r)", "min(r, y)*r", "relu(r)^2", "tanh(r)", "log(1 + exp(-y*r))",
    "softplus(1000*r)/1000", "tanh(r/0.001)", "sign(y)*r", "if(y > 0, r, -r)", "(y > t)*r", "if(r > 1, 2*r - 1, r*r)",
    "if(abs(r - y) < 1, (r - y)^2/2, abs(r - y) - 0.5)", "sqrt(abs(r))", "sign(r)*sqrt(abs(r))", "sqrt(r^2 + 0.01)",
    "r*abs(r)", "(exp(r) - 1)/r", "(exp(r) - 1 - r)/r^2", "(1 - cos(r))/r^2", "sin(r)/r", "r*log(abs(r))",
    "abs(r)^1.5", "relu(r)^1.2", "atan(r)*sign(y)", "1/(1 + r^2)", "exp(-r*r)/(0.1 + r^4)", "erf(10*r)", "r == y",
    "logsumexp(r, y, 0)", "100000*r + abs(r)", "sign(r)*r", "max(r, 2*r, 3*r)", "if(r, r, 0)"};

static void continuous_functions_pass(void **state)
{
    for (size_t i = 0; i < sizeof continuous / sizeof *continuous; i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            fixture f = fixture_new();
            expr_jump jump = find(&f, fixture_parse(&f, continuous[i]), seed);
            if (jump.found)
                fail_msg("%s, seed %d: jump of %g at \"%s\"", continuous[i], (int)seed, jump.size, jump.function);
            fixture_free(&f);
        }
}

/* Gradients of losses: what a user knows them by. */
static const struct loss {
    const char *text, *function; /* NULL: no jump */
} losses[] = {
    {"(relu(r) - y)^2/2", "relu"},
    {"abs(r - y)", "abs"},
    {"max(0, 1 - y*r)", "max"},
    {"relu(1 - y*r)", "relu"},
    {"min(1, (r - y)^2)", "min"},
    {"if(r > y, r - y, 2*(y - r))", "if"},
    {"(r > y)*(r - y)*3 + (r <= y)*(y - r)", "<"},
    {"sqrt((r - y)^2)", "sqrt"},
    {"(sign(r)*r - y)^2", "sign"},
    {"(abs(r) - y)^2/2", "abs"},
    {"relu(r)^2/2", NULL},
    {"relu(1 - y*r)^2", NULL},
    {"max(0, 1 - y*r)^2", NULL},
    {"(softplus(10*r)/10 - y)^2/2", NULL},
    {"log(1 + exp(-y*r))", NULL},
    {"if(abs(r - y) < 1, (r - y)^2/2, abs(r - y) - 0.5)", NULL},
    {"(r^2 - y)^2/4", NULL},
    {"(tanh(r) - sign(y))^2", NULL},
    {"abs(r - y)^1.5", NULL},
};

static void gradients_of_losses(void **state)
{
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        fixture f = fixture_new();
        expr_jump jump = find(&f, fixture_derive(&f, fixture_parse(&f, losses[i].text), f.r), 3);
        if (jump.found != (losses[i].function != NULL) || (jump.found && strcmp(jump.function, losses[i].function)))
            fail_msg("%s: found %d, \"%s\" by %g; expected \"%s\"", losses[i].text, jump.found, jump.function, jump.size,
                     losses[i].function ? losses[i].function : "no jump");
        fixture_free(&f);
    }
}

/* Several moving variables: surfaces are met along oblique lines. */
static void surfaces_in_two_variables(void **state)
{
    fixture f = fixture_new();
    expr_node moving[2] = {f.r, f.t};
    static const struct {
        const char *text;
        int found;
    } cases[] = {{"sign(r - 2*t)", 1},        {"relu(r)*relu(t)", 0},        {"(r > 0)*relu(t)", 1},
                 {"sqrt(r^2 + t^2)", 0},      {"r/sqrt(r^2 + t^2)", 0},      {"sign(r*r + t*t - 1)", 1},
                 {"sign(r*r + t*t + 1)", 0},  {"max(r, t) - max(t, r)", 0},  {"sqrt((r - t)^2)", 0},
                 {"(r - t)/sqrt((r - t)^2)", 1}, {"sign(y)*tanh(r + t)", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expr_jump jump;
        expr_node node = fixture_parse(&f, cases[i].text);
        assert_int_equal(expr_find_jump(f.ctx, f.graph, node, moving, 2, 2, 9, &jump), SGDMFT_OK);
        if (jump.found != cases[i].found)
            fail_msg("%s: found %d (%s, %g)", cases[i].text, jump.found, jump.function, jump.size);
    }
    /* what does not move does not jump */
    expr_jump jump = find(&f, fixture_parse(&f, "sign(t)*r"), 4);
    assert_false(jump.found);
    fixture_free(&f);
}

static void the_search_is_deterministic(void **state)
{
    fixture f = fixture_new();
    expr_node node = fixture_parse(&f, "sign(r - y)*(1 + t^2)");
    expr_jump a = find(&f, node, 12), b = find(&f, node, 12);
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(a.found);
    fixture_free(&f);
}

/* Poles in r and y, both of continuous laws, whose square has no average; power 0: none. */
static const struct polar {
    const char *text;
    double power; /* infinite: faster than any */
} polar[] = {
    {"1/r", 1}, {"1/r^2", 2}, {"1/abs(r)^0.5", 0.5}, {"r - abs(r)^(-0.5)", 0.5}, {"3 + abs(r - y)^(-0.6)", 0.6},
    {"1/(r - y)", 1}, {"1/(r + y^2 + 1)", 1}, {"tan(r)", 1}, {"exp(1/r)", INFINITY}, {"1/log(r^2)", 1},
    {"1/(r^2 - y)", 1}, {"1/sqrt(abs(y))", 0.5}, {"y*r + 2/(y + 1)^3", 3},
    {"abs(r)^(-0.4)", 0}, {"abs(r)^(-0.49)", 0}, {"y - abs(r)^(-0.49)", 0}, {"log(abs(r))", 0}, {"log(r^2)^4", 0},
    {"1/(0.5 + r^2 + y^2)", 0}, {"1/(r^2 + 1e-6)", 0}, {"tanh(1/r)", 0}, {"sin(1/r)", 0}, {"exp(-1/r^2)", 0},
    {"sqrt(abs(r))", 0}, {"sign(r)/(abs(r) + 0.01)", 0}, {"(exp(r) - 1)/r", 0}, {"1/(r^2 + (y - 1)^2)", 0},
    {"(r == 0)/r", 0}, {"r^2/(r^2 + y^2)", 0}};

static void poles_are_measured(void **state)
{
    for (size_t i = 0; i < sizeof polar / sizeof *polar; i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            fixture f = fixture_new();
            expr_node node = fixture_parse(&f, polar[i].text), moving[] = {f.r, f.y};
            expr_pole pole;
            assert_int_equal(expr_find_pole(f.ctx, f.graph, node, moving, 2, 2, seed, &pole), SGDMFT_OK);
            double wanted = polar[i].power;
            int same = pole.power == wanted || fabs(pole.power - wanted) < 0.02;
            if (pole.found != (wanted > 0) || (pole.found && !same))
                fail_msg("%s, seed %d: found %d, power %g at \"%s\"; expected %g", polar[i].text, (int)seed, pole.found,
                         pole.power, pole.function, wanted);
            fixture_free(&f);
        }
}

/* A variable of a continuous law does not take the values at which alone there is a pole in r. */
static void single_values_do_not_count(void **state)
{
    fixture f = fixture_new();
    expr_node node = fixture_parse(&f, "1/(r^2 + (y - 1)^2)"), moving[] = {f.r, f.y};
    expr_pole pole;
    assert_int_equal(expr_find_pole(f.ctx, f.graph, node, moving, 1, 2, 3, &pole), SGDMFT_OK);
    assert_false(pole.found);
    assert_int_equal(expr_find_pole(f.ctx, f.graph, node, moving, 1, 1, 3, &pole), SGDMFT_OK); /* y may be a class */
    assert_true(pole.found && fabs(pole.power - 2) < 0.01);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jumps_are_found),
        cmocka_unit_test(continuous_functions_pass),
        cmocka_unit_test(gradients_of_losses),
        cmocka_unit_test(surfaces_in_two_variables),
        cmocka_unit_test(the_search_is_deterministic),
        cmocka_unit_test(poles_are_measured),
        cmocka_unit_test(single_values_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
