// Modules, losses, optimizers and data.
#pragma once

#include <xgrad/nn/data.hpp>
#include <xgrad/nn/deep_network.hpp>
#include <xgrad/nn/init.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/nn/logistic_regression.hpp>
#include <xgrad/nn/sequential.hpp>
#include <xgrad/nn/sgd.hpp>
