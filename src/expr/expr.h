/* Expressions: text -> hash-consed graph -> derivatives -> block program.

   A graph owns all nodes; equal subexpressions are one node, so derivatives share work with what they derive. Variables
   are the inputs of programs, numbered in the order of declaration. A bound name stands for a node (f1 for the
   prediction, y1 for an input, ...). A program evaluates any number of nodes over a block of lanes and is immutable:
   threads share it, each with its own work space. */
#ifndef SGDMFT_EXPR_EXPR_H
#define SGDMFT_EXPR_EXPR_H

#include "expr/derivative.h"
#include "expr/graph.h"
#include "expr/growth.h"
#include "expr/kink.h"
#include "expr/parser.h"
#include "expr/program.h"
#include "expr/sign.h"
#include "expr/substitute.h"

#endif
