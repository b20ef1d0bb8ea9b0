/// Which optimizer, with its numbers.
public struct OptimizerConfiguration: Codable, Sendable, Equatable {
  /// The optimizers.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// ``AdamW``; with a weight decay of 0, Adam.
    case adamw
    /// ``SGD``.
    case sgd
  }

  /// The optimizer.
  public var kind = Kind.adamw
  /// AdamW's β₁.
  public var beta1 = 0.9
  /// AdamW's β₂.
  public var beta2 = 0.999
  /// AdamW's ε.
  public var epsilon = 1e-8
  /// The weight decay: decoupled for AdamW, added to the gradient for SGD.
  public var weightDecay = 0.01
  /// SGD's momentum.
  public var momentum = 0.9
  /// Whether SGD's momentum is Nesterov's.
  public var nesterov = false

  /// The defaults.
  public init() {}

  /// The optimizer before its first update.
  public func optimizer() -> any Optimizer {
    switch kind {
    case .adamw:
      AdamW(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay)
    case .sgd: SGD(momentum: momentum, nesterov: nesterov, weightDecay: weightDecay)
    }
  }

  func validate(at key: String) throws(InvalidSetting) {
    try InvalidSetting.check(beta1 >= 0 && beta1 < 1, "\(key).beta1", "0 to below 1", beta1)
    try InvalidSetting.check(beta2 >= 0 && beta2 < 1, "\(key).beta2", "0 to below 1", beta2)
    try InvalidSetting.check(epsilon >= 0, "\(key).epsilon", "0 or more", epsilon)
    try InvalidSetting.check(weightDecay >= 0, "\(key).weight_decay", "0 or more", weightDecay)
    try InvalidSetting.check(
      momentum >= 0 && momentum < 1, "\(key).momentum", "0 to below 1", momentum)
    if kind == .sgd && nesterov {
      try InvalidSetting.check(
        momentum > 0, "\(key).momentum", "above 0 with nesterov", momentum)
    }
  }
}

extension InvalidSetting {
  /// Refuses `found` unless `holds`.
  static func check<Value>(
    _ holds: Bool, _ key: String, _ expected: String, _ found: Value
  ) throws(InvalidSetting) {
    if !holds { throw InvalidSetting(key, "expected \(expected), found \(found)") }
  }
}
