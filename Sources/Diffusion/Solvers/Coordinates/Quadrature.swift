import Foundation
import TensorCore

/// Weights of slopes at a few nodes in an integral over a step: the polynomial through the nodes is integrated exactly.
///
/// Nodes are in units of the step, 0 at its start and 1 at its end; earlier ones are negative.
enum Quadrature {
  /// `integral l_j` for the Lagrange polynomials `l_j` of the nodes, given the integrals of `1, theta, theta^2, ...`.
  static func weights(nodes: [Double], moments: [Double]) -> [Double] {
    nodes.indices.map { j in
      // l_j = product over k != j of (theta - n_k) / (n_j - n_k), multiplied out from the constant up.
      var polynomial = [1.0]
      for (k, node) in nodes.enumerated() where k != j {
        let scale = 1 / (nodes[j] - node)
        var product = [Double](repeating: 0, count: polynomial.count + 1)
        for (power, coefficient) in polynomial.enumerated() {
          product[power] -= coefficient * node * scale
          product[power + 1] += coefficient * scale
        }
        polynomial = product
      }
      return zip(polynomial, moments).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }

  /// `integral theta^k dp = step / (k + 1)` of a step in the position `p` itself: Adams and Bashforth's.
  static func moments(step: Double, count: Int) -> [Double] {
    (0..<count).map { step / Double($0 + 1) }
  }

  /// `integral theta^k dp` where `theta` runs over a step `h` of lambda, `p = exp(sign lambda)` and `end` is `p` there:
  /// `sign h end k! phi_{k+1}(-sign h)` (Lu et al. 2022, arXiv:2206.00927, equation 3.6).
  static func moments(lambdaStep h: Double, sign: Double, end: Double, count: Int) -> [Double] {
    var factorial = 1.0
    return (0..<count).map { k in
      if k > 1 { factorial *= Double(k) }
      return sign * h * end * factorial * phi(k + 1, -sign * h)
    }
  }

  /// `phi_0(z) = exp(z)`, `phi_{k+1}(z) = (phi_k(z) - 1 / k!) / z`: the functions of exponential integrators.
  static func phi(_ k: Int, _ z: Double) -> Double {
    if k == 0 { return exp(z) }
    if abs(z) > 1 {
      var (value, factorial) = (expm1(z) / z, 1.0)
      for order in 1..<max(k, 1) {
        factorial *= Double(order)
        value = (value - 1 / factorial) / z
      }
      return value
    }
    // The series sum z^n / (n + k)!, which does not cancel.
    var term = (1...k).reduce(1.0) { $0 / Double($1) }
    var sum = term
    for n in 1...20 {
      term *= z / Double(n + k)
      sum += term
    }
    return sum
  }
}

/// How the slope that a straight line adds to the first-order update is weighed, where the nodes are two.
public enum LinearRule: String, Sendable, Hashable, Codable, CaseIterable {
  /// As the integral says.
  case exact
  /// The line's value in the middle of the step stands for all of it: DPM-Solver's and DPM-Solver++'s own choice
  /// (diffusers' `midpoint`) and UniPC's `B(h) = exp(h) - 1` (diffusers' `bh2`).
  case middle
  /// UniPC's `B(h) = h` (Zhao et al. 2023, section 3.3; diffusers' `bh1`).
  case plain
}

extension Coordinates {
  /// What each of the slopes at `nodes` (given by their lambdas) weighs in the step between two levels.
  func weights(
    of nodes: [Double], from: NoiseLevel, to: NoiseLevel, rule: LinearRule
  ) -> [Double] {
    let (start, h) = (from.lambda, to.lambda - from.lambda)
    let end = position(of: to)
    let sign = self == .noise ? -1.0 : 1.0
    var moments = Quadrature.moments(
      lambdaStep: h, sign: sign, end: end, count: nodes.count)
    if nodes.count == 2 {
      switch rule {
      case .exact: break
      case .middle: moments[1] = moments[0] / 2
      case .plain: moments[1] = sign * end * h / 2
      }
    }
    return Quadrature.weights(nodes: nodes.map { ($0 - start) / h }, moments: moments)
  }

  /// The sample at `to`, by the polynomial in lambda through slopes at `nodes`.
  func exponential(
    _ x: Tensor, from: NoiseLevel, to: NoiseLevel, through nodes: [SlopeNode],
    rule: LinearRule = .exact
  ) -> Tensor {
    // A leg that goes nowhere, as grids that end twice at their last level have, is no unit to measure nodes by.
    if abs(to.lambda - from.lambda) < 1e-12 { return moved(x, from: from, to: to, along: []) }
    let weights = weights(of: nodes.map(\.level.lambda), from: from, to: to, rule: rule)
    return moved(x, from: from, to: to, along: Array(zip(weights, nodes.map(\.slope))))
  }
}
