extension SolverCatalog {
  /// Where ``measuredOrders`` were measured: on a mixture of two Gaussians, over variance-preserving levels.
  package static let measuredPlace = "mixture/vp"

  /// The orders that `bench order` measured, to two digits: of a solver of the ODE at ``measuredPlace`` over a smooth grid
  /// with an exact start, of one that adds noise the weak order on one Gaussian. The tests measure them again.
  static let measuredOrders: [String: Double] = [
    "ddim": 1.00,
    "ddim-inverse": 0.99,
    "euler": 1.00,
    "euler-ge": 0.98,
    "heun": 2.00,
    "midpoint": 1.97,
    "ralston": 1.99,
    "lms": 3.95,
    "pndm": 2.00,
    "plms": 2.00,
    "ipndm": 3.91,
    "dpm2": 2.00,
    "dpm-solver-3": 3.02,
    "dpm++2s": 2.00,
    "dpm++3s": 2.98,
    "res-2s": 2.00,
    "dpm-single": 1.99,
    "dpm-fast": 2.98,
    "dpm-multi": 2.03,
    "deis": 2.98,
    "dpm++2m": 2.01,
    "dpm++3m": 2.99,
    "res-multistep": 2.01,
    "unipc": 3.01,
    "unipc-bh1": 3.02,
    "ddpm": 0.97,
    "euler-a": 0.97,
    "dpm2-a": 2.02,
    "dpm++2s-a": 1.98,
    "dpm++sde": 1.98,
    "dpm++2m-sde": 1.99,
    "dpm++2m-sde-heun": 2.01,
    "dpm++3m-sde": 2.03,
    "dpm++3m-sde-exact": 2.06,
    "sa-solver": 2.11,
    "sa-solver-pece": 2.07,
    "euler-maruyama": 1.02,
    "reverse-diffusion": 1.02,
  ]
}

extension SolverEntry {
  /// The order that was measured with its default options; `nil` where there is none to measure, and for step sizes that
  /// the error decides.
  public var measuredOrder: Double? { SolverCatalog.measuredOrders[name] }
}
