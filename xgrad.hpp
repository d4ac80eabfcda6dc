// Everything but the bridge to xtensor (<xgrad/tensor/xtensor.hpp>) and the Catch2 matcher (<xgrad/autograd/catch.hpp>).
#pragma once

#include <xgrad/autograd/checkpoint.hpp>
#include <xgrad/autograd/compile.hpp>
#include <xgrad/autograd/custom.hpp>
#include <xgrad/autograd/draw.hpp>
#include <xgrad/autograd/forward.hpp>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/hooks.hpp>
#include <xgrad/autograd/jacobian.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/philox.hpp>
#include <xgrad/tensor/tensor.hpp>
#include <xgrad/tensor/threads.hpp>
#include <xgrad/tensor/version.hpp>
