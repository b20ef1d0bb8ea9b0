import TensorCheckpoints
import TensorCore
import TensorLayers

/// Changes of a model's weights from a file (LoRA, LoCon, LoHa, LoKr, each also as DoRA), under kohya's, LyCORIS', diffusers'
/// or peft's names.
public struct WeightAdapter: Sendable {
  /// The file.
  public let path: String
  private var weights: [AdaptedPart: [String: AdaptedWeight]] = [:]

  /// How many weights it changes.
  public var count: Int { weights.values.reduce(0) { $0 + $1.count } }

  /// Reads a file whose every tensor belongs to one of `weights`.
  ///
  /// Alpha is that of the file's tensors, else that of diffusers' metadata or of peft's `adapter_config.json` beside the
  /// file, else the rank.
  ///
  /// - Throws: ``TensorCheckpoints/CheckpointError``; a mismatch lists names that are not understood, parts that are
  ///   missing, and shapes that are not the weights'.
  public init(
    _ source: any CheckpointSource, for weights: AdaptableWeights
  ) throws(CheckpointError) {
    path = source.path
    let found = AdapterNames(source, weights)
    guard found.report.isClean else { throw .mismatch(path: path, report: found.report) }
    let alphas = AlphaTable(source)
    for (weight, names) in found.layers {
      var parts: [AdapterRole: Tensor] = [:]
      for (role, name) in names {
        parts[role] = try source.tensor(named: name).converted(to: .float32)
      }
      guard let change = AdapterNames.form(names)?.init(parts) else { continue }
      let alpha = parts[.alpha]?.doubles.first ?? alphas.alpha(of: weight.part, name: weight.name)
      let rank = change.rank ?? alphas.rank(of: weight.part, name: weight.name)
      self.weights[weight.part, default: [:]][weight.name] = AdaptedWeight(
        change: change, scale: rank.flatMap { rank in alpha.map { $0 / Double(rank) } } ?? 1,
        magnitude: Self.magnitude(parts))
    }
  }

  private static func magnitude(_ parts: [AdapterRole: Tensor]) -> AdaptedWeight.Magnitude? {
    if let lengths = parts[.magnitude] { return .init(lengths: lengths, isOfOutputs: true) }
    return parts[.scale].map { lengths in
      .init(lengths: lengths, isOfOutputs: lengths.rank == 1 || lengths.shape[0] != 1)
    }
  }

  /// What is added to a parameter, which is given in the file's layout and in float32; `nil` where it is not changed.
  func difference(
    from weight: Tensor, named name: String, in part: AdaptedPart, factor: Double
  ) -> Tensor? {
    weights[part]?[name]?.difference(from: weight, factor: factor)
  }

  /// Whether a parameter is changed.
  func changes(_ name: String, in part: AdaptedPart) -> Bool { weights[part]?[name] != nil }
}

extension AdaptableWeights {
  /// The names of the parameters that a file changes, from its names alone.
  public func changed(by source: any CheckpointSource) -> [AdaptedPart: Set<String>] {
    AdapterNames(source, self).layers.keys.reduce(into: [:]) { changed, weight in
      changed[weight.part, default: []].insert(weight.name)
    }
  }
}

/// The tensors of an adapter's file, by the weights that they change.
private struct AdapterNames {
  var layers: [AdaptableWeights.Weight: [AdapterRole: String]] = [:]
  let report: LoadReport

  private static let endings = AdapterRole.endings.sorted { $0.ending.count > $1.ending.count }

  init(_ source: any CheckpointSource, _ weights: AdaptableWeights) {
    var shapes: [(name: String, shape: [Int])] = []
    var found: [AdaptableWeights.Weight: [AdapterRole: [Int]]] = [:]
    for entry in source.entries {
      shapes.append((entry.name, entry.shape))
      guard
        let end = Self.endings.first(where: { entry.name.hasSuffix($0.ending) }),
        let weight = weights.weight(named: String(entry.name.dropLast(end.ending.count)))
      else { continue }
      layers[weight, default: [:]][end.role] = entry.name
      found[weight, default: [:]][end.role] = entry.shape
    }
    var expected: [(name: String, shape: [Int])] = []
    for (weight, names) in layers {
      for (role, shape) in Self.expected(weight.shape, names, found[weight] ?? [:]) {
        expected.append((names[role] ?? "\(role.words) for \(weight.name)", shape))
      }
    }
    report = LoadReport(expected: expected, found: shapes)
  }

  /// What kind of change the parts are of.
  static func form(_ names: [AdapterRole: String]) -> (any WeightChange.Type)? {
    func has(_ roles: [AdapterRole]) -> Bool { roles.contains { names[$0] != nil } }
    if has([.left1, .right1, .left2, .right2]) { return HadamardLayer.self }
    if has([.coarse, .coarseLeft, .coarseRight, .fine, .fineLeft, .fineRight]) {
      return KroneckerLayer.self
    }
    return LowRankLayer.self
  }

  private static func expected(
    _ weight: [Int], _ names: [AdapterRole: String], _ found: [AdapterRole: [Int]]
  ) -> [AdapterRole: [Int]] {
    var expected = form(names)?.expected(weight, found) ?? [:]
    if let alpha = found[.alpha] { expected[.alpha] = alpha.reduce(1, *) == 1 ? alpha : [] }
    for role in [AdapterRole.magnitude, .scale] {
      if let lengths = found[role] {
        expected[role] = AdaptedWeight.Magnitude.expected(role, weight, lengths)
      }
    }
    return expected
  }
}

// MARK: - Merging

extension Module {
  /// The module with the changes of adapters added to its weights, each times its factor. Each changes the weights as they
  /// were, whatever the others do.
  ///
  /// - Parameter keepsTypes: whether sums are rounded to the weights' element types; else those in half precision that are
  ///   changed become float32, at twice the memory.
  public func adding(
    _ adapters: [(adapter: WeightAdapter, factor: Double)], as part: AdaptedPart,
    keepsTypes: Bool = false
  ) -> Self {
    mapParameters { tensor, parameter in
      let own = adapters.filter { $0.adapter.changes(parameter.name, in: part) }
      if own.isEmpty { return tensor }
      let plain = parameter.layout.file(ofMemory: tensor.converted(to: .float32))
      let sum = own.reduce(plain) { sum, own in
        own.adapter.difference(from: plain, named: parameter.name, in: part, factor: own.factor)
          .map { sum + $0 } ?? sum
      }
      let changed = parameter.layout.memory(ofFile: sum)
      return keepsTypes || tensor.dtype.computes ? changed.converted(to: tensor.dtype) : changed
    }
  }
}
