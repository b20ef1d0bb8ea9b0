import TensorCore

/// Where one of the engine's tensors stands in a foreign file, and in which form.
public struct TensorPlace: Sendable, Hashable {
  /// How the foreign tensor holds the engine's.
  public enum Form: Sendable, Hashable {
    /// The same elements in the same order; axes of length one may come or go.
    case same
    /// The part of this number among `of` equal parts of the first axis: queries, keys and values in one matrix.
    case part(Int, of: Int)
    /// A matrix with its axes exchanged.
    case transposed
  }

  /// The foreign tensor's name.
  public let name: String
  /// The foreign tensor's shape.
  public let shape: [Int]
  /// How it holds the engine's.
  public let form: Form

  /// A place.
  public init(_ name: String, shape: [Int], form: Form = .same) {
    self.name = name
    self.shape = shape
    self.form = form
  }

  /// The place of a tensor of `shape` in a file where it has the form `form`.
  public init(_ name: String, holding shape: [Int], as form: Form = .same) {
    let whole: [Int] =
      switch form {
      case .same: shape
      case .part(_, let count): [(shape.first ?? 1) * count] + shape.dropFirst()
      case .transposed: shape.reversed()
      }
    self.init(name, shape: whole, form: form)
  }
}

/// One of the engine's tensors with the places where a foreign file may have it; the first is where it is written.
public struct PlacedTensor: Sendable, Hashable {
  /// The engine's name.
  public let name: String
  /// The engine's shape, in the file's layout.
  public let shape: [Int]
  /// Where it may stand.
  public let places: [TensorPlace]

  /// A tensor with its places.
  public init(_ name: String, shape: [Int], places: [TensorPlace]) {
    self.name = name
    self.shape = shape
    self.places = places
  }
}

/// A checkpoint of a foreign layout under the engine's names and in its shapes.
///
/// A tensor that stands in none of its places is not there; a foreign tensor in which none of the engine's stands keeps
/// its name, so that a load's report has it.
public struct PlacedCheckpoint: CheckpointSource {
  private let source: any CheckpointSource
  private let places: [TensorName: (entry: CheckpointEntry, place: TensorPlace)]
  /// Every tensor: the engine's in their order, then the foreign ones that are none of its.
  public let entries: [CheckpointEntry]

  /// `source` with `tensors` in it, but without the foreign names that `ignores` says.
  public init(
    _ source: any CheckpointSource, _ tensors: [PlacedTensor],
    ignoring ignores: (String) -> Bool = { _ in false }
  ) {
    self.source = source
    var places: [TensorName: (entry: CheckpointEntry, place: TensorPlace)] = [:]
    var entries: [CheckpointEntry] = []
    var used: Set<TensorName> = []
    for tensor in tensors {
      for place in tensor.places {
        guard let found = source.entry(named: place.name) else { continue }
        let entry = CheckpointEntry(
          name: tensor.name, type: place.form == .transposed ? found.type.widened : found.type,
          shape: Self.shape(of: found, at: place, expected: tensor.shape))
        places[TensorName(tensor.name)] = (entry, place)
        entries.append(entry)
        used.insert(TensorName(place.name))
        break
      }
    }
    for entry in source.entries where !used.contains(TensorName(entry.name)) {
      if !ignores(entry.name) { entries.append(entry) }
    }
    self.places = places
    self.entries = entries
  }

  /// The engine's shape of a foreign tensor; one that does not fit as it would be without the form.
  private static func shape(
    of found: CheckpointEntry, at place: TensorPlace, expected: [Int]
  ) -> [Int] {
    func long(_ shape: [Int]) -> [Int] { shape.filter { $0 != 1 } }
    if long(found.shape) == long(place.shape) { return expected }
    switch place.form {
    case .same: return found.shape
    case .part(_, let count): return [(found.shape.first ?? 1) / count] + found.shape.dropFirst()
    case .transposed: return found.shape.reversed()
    }
  }

  /// Where the file is.
  public var path: String { source.path }
  /// Texts that were stored beside the tensors.
  public var metadata: [String: String] { source.metadata }

  /// What the file says of one of the engine's tensors; nil where there is none.
  public func entry(named name: String) -> CheckpointEntry? { places[TensorName(name)]?.entry }

  /// The tensor of one of the engine's names.
  public func tensor(named name: String) throws(CheckpointError) -> Tensor {
    try elements(named: name).tensor()
  }

  /// The elements of one of the engine's tensors, where they are in the file unless they have to be rearranged.
  public func elements(named name: String) throws(CheckpointError) -> StoredElements {
    guard let (entry, place) = places[TensorName(name)] else {
      throw .missing(path: path, name: name)
    }
    let whole = try source.elements(named: place.name)
    switch place.form {
    case .same: return whole.named(entry.name, shape: entry.shape)
    case .part(let index, let count):
      return try whole.part(index, of: count).named(entry.name, shape: entry.shape)
    case .transposed:
      let matrix = try whole.named(place.name, shape: entry.shape.reversed()).tensor()
      return StoredElements(matrix.transposed, named: entry.name, path: path)
    }
  }
}

/// The engine's tensors under the names and in the shapes of a foreign layout: the way back of ``PlacedCheckpoint``.
public struct ForeignCheckpoint: CheckpointSource {
  private let source: any CheckpointSource
  private let origins: [TensorName: [(own: String, place: TensorPlace)]]
  private let numbers: [TensorName: Int]
  /// Every foreign tensor, in the order of the engine's.
  public let entries: [CheckpointEntry]

  /// `source`, which has `tensors`, each at the first of its places.
  public init(_ source: any CheckpointSource, _ tensors: [PlacedTensor]) {
    self.source = source
    var origins: [TensorName: [(own: String, place: TensorPlace)]] = [:]
    var entries: [CheckpointEntry] = []
    for tensor in tensors {
      guard let place = tensor.places.first, let own = source.entry(named: tensor.name) else {
        continue
      }
      if origins[TensorName(place.name)] == nil {
        let type = place.form == .transposed ? own.type.widened : own.type
        entries.append(CheckpointEntry(name: place.name, type: type, shape: place.shape))
      }
      origins[TensorName(place.name), default: []].append((tensor.name, place))
    }
    self.origins = origins
    self.entries = entries
    numbers = Dictionary(
      entries.enumerated().map { (TensorName($1.name), $0) }, uniquingKeysWith: { $1 })
  }

  /// Where the file is.
  public var path: String { source.path }
  /// Texts that were stored beside the tensors.
  public var metadata: [String: String] { source.metadata }

  /// What is known of a foreign tensor; nil where there is none.
  public func entry(named name: String) -> CheckpointEntry? {
    numbers[TensorName(name)].map { entries[$0] }
  }

  /// The tensor of a foreign name.
  public func tensor(named name: String) throws(CheckpointError) -> Tensor {
    try elements(named: name).tensor()
  }

  /// The elements of a foreign tensor.
  public func elements(named name: String) throws(CheckpointError) -> StoredElements {
    guard let origins = origins[TensorName(name)], let first = origins.first else {
      throw .missing(path: path, name: name)
    }
    switch first.place.form {
    case .same:
      return try source.elements(named: first.own).named(name, shape: first.place.shape)
    case .transposed:
      let matrix = try source.tensor(named: first.own)
      return StoredElements(matrix.transposed, named: name, path: path)
    case .part(_, let count):
      var parts: [(index: Int, elements: StoredElements)] = []
      for (own, place) in origins {
        guard case .part(let index, _) = place.form else { continue }
        parts.append((index, try source.elements(named: own)))
      }
      guard parts.count == count, Set(parts.map(\.elements.entry.type)).count == 1 else {
        throw .malformed(
          path: path, reason: "the \(count) parts of \(quoted(name)) are not all there in one type")
      }
      let sorted = parts.sorted { $0.index < $1.index }.map(\.elements)
      return try StoredElements(joining: sorted, named: name, shape: first.place.shape)
    }
  }
}
