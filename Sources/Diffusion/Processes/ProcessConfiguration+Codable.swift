import Foundation

extension ProcessConfiguration: Codable {
  /// Reads a file's text, in which diffusers may have written `-Infinity`; throws `DecodingError` as
  /// ``init(from:)`` does.
  public init(json data: Data) throws {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    self = try decoder.decode(Self.self, from: data)
  }

  /// Those keys of a file's text that mean nothing here, in order; and the scheduler, where it is not one of
  /// ``SchedulerClass``.
  public static func unknownParts(json data: Data) throws -> [String] {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    let parts = try decoder.decode(Parts.self, from: data)
    let unknown = unknownKeys(in: parts.keys).map { "key \($0) is not known, ignored" }
    guard let name = parts.className, SchedulerClass(rawValue: name) == nil,
      scoreSchedulers[name] == nil
    else { return unknown }
    return unknown + ["scheduler \(name) is not known; the model's timesteps are taken evenly"]
  }

  private struct Parts: Decodable {
    struct Key: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init?(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    let keys: [String]
    let className: String?

    init(from decoder: any Decoder) throws {
      keys = try decoder.container(keyedBy: Key.self).allKeys.map(\.stringValue)
      let values = try decoder.container(keyedBy: SamplingConfiguration.CodingKeys.self)
      className = try values.decodeIfPresent(String.self, forKey: .className)
    }
  }

  /// Reads a configuration; throws `DecodingError` for a value of the wrong kind or out of range.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
      if let found = try values.decodeIfPresent(Value.self, forKey: key) { value = found }
    }
    sampling = try SamplingConfiguration(from: decoder)
    if sampling.leastLambda == -.infinity { sampling.leastLambda = nil }
    sampling.scheduler?.applyDefaults(to: &self)
    if let name = sampling.className { applyScoreDefaults(named: name) }
    try read(.trainingTimesteps, &trainingTimesteps)
    try read(.schedule, &schedule)
    try read(.firstBeta, &firstBeta)
    try read(.lastBeta, &lastBeta)
    explicitBetas = try values.decodeIfPresent([Double].self, forKey: .explicitBetas)
    try read(.parameterization, &parameterization)
    try read(.clampsEstimates, &clampsEstimates)
    try read(.clampsDenoised, &clampsEstimates)
    try read(.clampLimit, &clampLimit)
    try read(.thresholdsDynamically, &thresholdsDynamically)
    try read(.thresholdQuantile, &thresholdQuantile)
    try read(.largestThreshold, &largestThreshold)
    try read(.spacing, &spacing)
    try read(.timestepOffset, &timestepOffset)
    try read(.zeroTerminalSNR, &zeroTerminalSNR)
    try read(.endsClean, &endsClean)
    try read(.kind, &kind)
    smallestBeta = try values.decodeIfPresent(Double.self, forKey: .smallestBeta)
    largestBeta = try values.decodeIfPresent(Double.self, forKey: .largestBeta)
    levelCount = try values.decodeIfPresent(Int.self, forKey: .levelCount)
    lastSamplingTime = try values.decodeIfPresent(Double.self, forKey: .lastSamplingTime)
    // In diffusers `fixed_small_log` differs from `fixed_small` in rounding only.
    if try values.decodeIfPresent(String.self, forKey: .variance) != "fixed_small_log" {
      try read(.variance, &variance)
    }
    for (key, complaint) in complaints {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: values, debugDescription: complaint)
    }
    for (key, complaint) in sampling.complaints + rangeComplaints {
      let keys = try decoder.container(keyedBy: SamplingConfiguration.CodingKeys.self)
      throw DecodingError.dataCorruptedError(forKey: key, in: keys, debugDescription: complaint)
    }
  }

  /// Writes every key of the chain, and those of the scheduler that are set.
  public func encode(to encoder: any Encoder) throws {
    try sampling.encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(trainingTimesteps, forKey: .trainingTimesteps)
    try values.encode(schedule, forKey: .schedule)
    try values.encode(firstBeta, forKey: .firstBeta)
    try values.encode(lastBeta, forKey: .lastBeta)
    try values.encodeIfPresent(explicitBetas, forKey: .explicitBetas)
    try values.encode(parameterization, forKey: .parameterization)
    try values.encode(variance, forKey: .variance)
    try values.encode(clampsEstimates, forKey: .clampsEstimates)
    try values.encode(clampLimit, forKey: .clampLimit)
    try values.encode(thresholdsDynamically, forKey: .thresholdsDynamically)
    try values.encode(thresholdQuantile, forKey: .thresholdQuantile)
    try values.encode(largestThreshold, forKey: .largestThreshold)
    try values.encode(spacing, forKey: .spacing)
    try values.encode(timestepOffset, forKey: .timestepOffset)
    try values.encode(zeroTerminalSNR, forKey: .zeroTerminalSNR)
    try values.encode(endsClean, forKey: .endsClean)
    try values.encode(kind, forKey: .kind)
    try values.encodeIfPresent(smallestBeta, forKey: .smallestBeta)
    try values.encodeIfPresent(largestBeta, forKey: .largestBeta)
    try values.encodeIfPresent(levelCount, forKey: .levelCount)
    try values.encodeIfPresent(lastSamplingTime, forKey: .lastSamplingTime)
  }

  private var complaints: [(CodingKeys, String)] {
    var found: [(CodingKeys, String)] = []
    func expect(_ key: CodingKeys, _ holds: Bool, _ expected: String, _ value: Any) {
      if !holds { found.append((key, "expected \(expected), found \(value)")) }
    }
    expect(.trainingTimesteps, trainingTimesteps >= 1, "1 or more", trainingTimesteps)
    expect(.firstBeta, firstBeta > 0 && firstBeta < 1, "a number between 0 and 1", firstBeta)
    expect(.lastBeta, lastBeta > 0 && lastBeta < 1, "a number between 0 and 1", lastBeta)
    if let betas = explicitBetas {
      expect(
        .explicitBetas, betas.count == trainingTimesteps && betas.allSatisfy { $0 > 0 && $0 < 1 },
        "\(trainingTimesteps) numbers between 0 and 1", "\(betas.count) values")
    }
    expect(.clampLimit, clampLimit > 0, "a number above 0", clampLimit)
    expect(
      .thresholdQuantile, (0...1).contains(thresholdQuantile), "0 to 1", thresholdQuantile)
    expect(.largestThreshold, largestThreshold >= 1, "1 or more", largestThreshold)
    expect(
      .timestepOffset, (0..<trainingTimesteps).contains(timestepOffset),
      "0 to below num_train_timesteps", timestepOffset)
    let layout = sampling.scheduler?.layout
    if layout == .angle || layout == .cosineEDM {
      expect(
        .parameterization, parameterization == .velocity, Parameterization.velocity.name,
        parameterization.name)
      expect(.explicitBetas, explicitBetas == nil, "none", "a list")
    }
    return found + continuousComplaints
  }
}
