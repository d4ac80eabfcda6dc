// All operations.
#pragma once

#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/decompositions.hpp>
#include <xgrad/ops/einsum.hpp>
#include <xgrad/ops/fuse.hpp>
#include <xgrad/ops/gathering.hpp>
#include <xgrad/ops/indexing.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/linalg.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/normalization.hpp>
#include <xgrad/ops/rearranging.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/ops/sorting.hpp>
#include <xgrad/ops/triangle.hpp>
#include <xgrad/ops/update.hpp>
