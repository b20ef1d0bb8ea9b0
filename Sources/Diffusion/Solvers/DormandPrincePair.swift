/// The explicit Runge-Kutta pair of orders 5 and 4 of Dormand and Prince (1980), "A family of embedded Runge-Kutta
/// formulae": seven stages, of which the last is the first of the next step.
enum DormandPrincePair {
  /// Where in the step each stage stands.
  static let nodes: [Double] = [0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1]

  /// How much of the slopes so far goes into each stage; the last row is the solution of order 5.
  static let weights: [[Double]] = [
    [],
    [1.0 / 5],
    [3.0 / 40, 9.0 / 40],
    [44.0 / 45, -56.0 / 15, 32.0 / 9],
    [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
    [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
    [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
  ]

  /// The solution of order 5 less that of order 4, in the slopes of all stages.
  static let error: [Double] = [
    71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40,
  ]
}
