import DiffusionImages
import TensorCore

/// One picture to learn from, as it was read, with what is known of it.
public struct TrainingSample: Sendable, Equatable {
  /// The picture, in its own size and channels.
  public var image: Image
  /// Its class, an index of `Dataset.classNames`; nil where the data has none for it.
  public var classIndex: Int?
  /// Its caption; nil where the data has none for it.
  public var caption: String?

  /// A sample of the given parts.
  public init(image: Image, classIndex: Int? = nil, caption: String? = nil) {
    self.image = image
    self.classIndex = classIndex
    self.caption = caption
  }
}

/// Pictures by number. Reading one twice gives the same; several threads may read at once.
public protocol Dataset: Sendable {
  /// How many samples there are, at least one.
  var count: Int { get }
  /// The classes in the order of their indices; empty for data without classes.
  var classNames: [String] { get }
  /// What a sample is called: the same whatever else the data holds, and so what splits go by.
  func identifier(at index: Int) -> String
  /// Reads a sample.
  ///
  /// - Parameter index: one of `0..<count`.
  /// - Throws: `DataError` where its file is gone or damaged.
  func sample(at index: Int) throws(DataError) -> TrainingSample
}

/// Some of the samples of a data set, under numbers of their own.
public struct DatasetSubset<Base: Dataset>: Dataset {
  /// The data that the samples are of.
  public let base: Base
  /// The samples' numbers in `base`.
  public let indices: [Int]

  /// The samples of `base` with the given numbers.
  public init(_ base: Base, indices: [Int]) {
    if let wrong = indices.first(where: { !(0..<base.count).contains($0) }) {
      misuse(
        "DatasetSubset",
        "index \(wrong) is outside of 0..<\(base.count)"
          + ": take the indices from a split of the same data")
    }
    self.base = base
    self.indices = indices
  }

  /// How many samples were taken.
  public var count: Int { indices.count }
  /// The classes of `base`.
  public var classNames: [String] { base.classNames }
  /// What the sample is called in `base`.
  public func identifier(at index: Int) -> String { base.identifier(at: indices[index]) }
  /// Reads a sample of `base`.
  public func sample(at index: Int) throws(DataError) -> TrainingSample {
    try base.sample(at: indices[index])
  }
}
