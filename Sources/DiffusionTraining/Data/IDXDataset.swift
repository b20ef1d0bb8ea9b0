import DiffusionImages
import Foundation

/// Pictures and labels of a pair of IDX files, all in memory.
public struct IDXDataset: Dataset {
  /// The classes in the order of the labels; empty without labels.
  public let classNames: [String]
  /// Pixels in a row.
  public let width: Int
  /// Rows of a picture.
  public let height: Int
  /// Channels of a picture: one, but where the file has a fourth dimension.
  public let channels: Int
  private let images: IDXArray
  private let labels: IDXArray?

  /// Reads the files, plain or gzip.
  ///
  /// - Parameters:
  ///   - images: an IDX file of shape `[count, height, width]` or `[count, height, width,
  ///     channels]`.
  ///   - labels: an IDX file of shape `[count]`; without it the data has no classes.
  ///   - classNames: the classes in order; by default the numbers from zero to the greatest label.
  /// - Throws: `DataError` where a file is missing, damaged or of another shape, where there are
  ///   not as many labels as images, and where a label has no class.
  public init(
    images imagesPath: String, labels labelsPath: String? = nil, classNames: [String]? = nil
  ) throws(DataError) {
    let images = try IDXArray(reading: imagesPath)
    let shape = images.shape
    let channels = shape.count == 4 ? shape[3] : 1
    guard shape.count == 3 || shape.count == 4, !shape.dropFirst().contains(0), channels <= 4 else {
      throw .notIDX(
        path: imagesPath,
        reason: "its shape is \(shape); images have [count, height, width] with or without 1 to 4 "
          + "channels")
    }
    guard shape[0] > 0 else { throw .noImages(path: imagesPath, reason: "its count is 0") }
    self.images = images
    (height, width, self.channels) = (shape[1], shape[2], channels)
    guard let labelsPath else {
      labels = nil
      self.classNames = []
      return
    }
    let labels = try IDXArray(reading: labelsPath)
    guard labels.shape.count == 1 else {
      throw .notIDX(path: labelsPath, reason: "its shape is \(labels.shape); labels have [count]")
    }
    guard labels.shape[0] == shape[0] else {
      throw .mismatchedCounts(
        images: imagesPath, imageCount: shape[0], labels: labelsPath, labelCount: labels.shape[0])
    }
    let names = classNames ?? (0...(labels.bytes.max() ?? 0)).map(String.init)
    if let index = labels.bytes.firstIndex(where: { $0 >= names.count }) {
      throw .unknownLabel(
        path: labelsPath, index: index, label: Int(labels.bytes[index]), classCount: names.count)
    }
    self.labels = labels
    self.classNames = names
  }

  /// Reads a pair of files under MNIST's names, `<part>-images-idx3-ubyte` and
  /// `<part>-labels-idx1-ubyte`, with or without `.gz`.
  ///
  /// - Parameter part: `train` or `t10k`.
  /// - Throws: as `init(images:labels:classNames:)`.
  public init(
    folder: String, part: String, classNames: [String]? = nil
  ) throws(DataError) {
    func path(_ kind: String) -> String {
      let plain = "\(folder)/\(part)-\(kind)-ubyte"
      return FileManager.default.fileExists(atPath: plain) ? plain : plain + ".gz"
    }
    try self.init(
      images: path("images-idx3"), labels: path("labels-idx1"), classNames: classNames)
  }

  /// How many pictures the file has.
  public var count: Int { images.shape[0] }

  /// The picture's number in the file.
  public func identifier(at index: Int) -> String { String(index) }

  /// The picture and its label; never fails.
  public func sample(at index: Int) throws(DataError) -> TrainingSample {
    let size = width * height * channels
    let image = Image(
      width: width, height: height, channels: channels,
      samples: Array(images.bytes[index * size..<(index + 1) * size]))
    return TrainingSample(image: image, classIndex: labels.map { Int($0.bytes[index]) })
  }
}
