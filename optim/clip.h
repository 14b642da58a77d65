// Clipping by the global norm (Pascanu et al. 2013, algorithm 1): all gradients are scaled by one
// number where their common norm exceeds a bound, so that their direction stays.
#pragma once

namespace heddle {

/// What every gradient is multiplied with: min(1, clip_norm / (norm + 1e-6)), as
/// torch.nn.utils.clip_grad_norm_ does. A clip_norm of 0 turns clipping off.
double clip_scale(double norm, double clip_norm);

}  // namespace heddle
