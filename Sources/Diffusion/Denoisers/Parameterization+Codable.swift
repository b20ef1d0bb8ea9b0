extension Parameterization: CaseIterable {
  /// Each of them, EDM's for data of deviation 0.5.
  public static let allCases: [Parameterization] = [
    .epsilon, .sample, .velocity, .flow, .score, .edm(), .edmVelocity(), .varianceExploding,
    .variancePreserving,
    .improvedDDPM,
  ]

  /// Its name in files: diffusers' `prediction_type` where there is one.
  public var name: String {
    switch self {
    case .epsilon: "epsilon"
    case .sample: "sample"
    case .velocity: "v_prediction"
    case .flow: "flow_prediction"
    case .score: "score"
    case .edm: "edm"
    case .edmVelocity: "edm_v"
    case .varianceExploding: "ve"
    case .variancePreserving: "vp"
    case .improvedDDPM: "iddpm"
    }
  }
}

extension Parameterization: Codable {
  private struct Scaled: Codable {
    var name: String
    var dataDeviation: Double

    enum CodingKeys: String, CodingKey {
      case name
      case dataDeviation = "sigma_data"
    }
  }

  /// Reads a name, or `{"name": "edm", "sigma_data": 0.5}`; throws `DecodingError` for a name that is not known.
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let scaled = try? value.decode(Scaled.self), ["edm", "edm_v"].contains(scaled.name) {
      let deviation = scaled.dataDeviation
      self =
        scaled.name == "edm"
        ? .edm(dataDeviation: deviation) : .edmVelocity(dataDeviation: deviation)
      return
    }
    let name = try value.decode(String.self)
    guard let found = Self.allCases.first(where: { $0.name == name }) else {
      throw DecodingError.dataCorruptedError(
        in: value,
        debugDescription: "expected one of \(Self.allCases.map(\.name).joined(separator: ", ")), "
          + "found \(name)")
    }
    self = found
  }

  /// Writes the name, and the data's deviation where it is not 0.5.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .edm(let deviation) where deviation != 0.5,
      .edmVelocity(let deviation) where deviation != 0.5:
      try container.encode(Scaled(name: name, dataDeviation: deviation))
    default: try container.encode(name)
    }
  }
}
