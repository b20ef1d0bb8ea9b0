import DiffusionImages

/// Which pictures are learnt from, and how they are prepared.
public struct DataConfiguration: Codable, Sendable, Equatable {
  /// How the pictures are stored.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Two IDX files, plain or gz, in the folder `path`: `<part>-images-idx3-ubyte`, `<part>-labels-idx1-ubyte`.
    case idx
    /// All PNG files in the folder `path`, without classes.
    case folder
    /// The PNG files that the TSV or CSV file `path` names.
    case manifest
  }

  /// How a picture comes to its size.
  public enum Crop: String, Codable, Sendable, CaseIterable {
    /// It is resized, whatever its proportion.
    case none
    /// Its middle is kept.
    case center
    /// A piece by chance is kept.
    case random
  }

  /// How the pictures are stored.
  public var kind = Kind.idx
  /// The folder or the manifest, from the folder that the program runs in.
  public var path = ""
  /// Which part of IDX data.
  public var part = "train"
  /// Width and height of the prepared pictures, in pixels.
  public var resolution = 32
  /// How a picture comes to that size.
  public var crop = Crop.center
  /// With a random crop: how many times the size the picture is resized to first.
  public var oversize = 1.125
  /// The chance of left and right being exchanged.
  public var flip = 0.0
  /// The manifest's column of paths.
  public var fileColumn = "file"
  /// The manifest's column of captions, if any.
  public var captionColumn: String?
  /// The manifest's column of classes, if any.
  public var classColumn: String?
  /// The grey, from 0 to 255, that shows through where a picture is transparent.
  public var background = 255
  /// The share of the pictures that is held back to validate with.
  public var validationFraction = 0.02
  /// Whether damaged files are left out and counted; else the first one stops the run.
  public var skipDamaged = false

  /// The defaults.
  public init() {}

  func validate(at key: String) throws(InvalidSetting) {
    try InvalidSetting.check(!path.isEmpty, "\(key).path", "a folder or a manifest", "nothing")
    try InvalidSetting.check(resolution > 0, "\(key).resolution", "above 0", resolution)
    try InvalidSetting.check((0...1).contains(flip), "\(key).flip", "0 to 1", flip)
    try InvalidSetting.check(
      oversize >= 1 && oversize.isFinite, "\(key).oversize", "1 or more", oversize)
    try InvalidSetting.check(
      (0...255).contains(background), "\(key).background", "0 to 255", background)
    try InvalidSetting.check(
      (0..<1).contains(validationFraction), "\(key).validation_fraction", "0 to below 1",
      validationFraction)
  }

  /// Opens the data.
  public func dataset() throws(DataError) -> any Dataset {
    let policy: ImageFolder.FaultPolicy = skipDamaged ? .skip : .refuse
    switch kind {
    case .idx: return try IDXDataset(folder: path, part: part)
    case .folder: return try ImageFolder(folder: path, onFault: policy)
    case .manifest:
      let columns = ImageFolder.Columns(
        file: fileColumn, caption: captionColumn, classes: classColumn)
      return try ImageFolder(manifest: path, columns: columns, onFault: policy)
    }
  }

  /// How a picture is prepared, with its chance variations.
  public func preparation(channels: Int) -> ImagePreparation {
    let fit: ImagePreparation.Fit =
      switch crop {
      case .none: .stretch
      case .center: .centreCrop
      case .random: .randomCrop(oversize: oversize)
      }
    return ImagePreparation(
      width: resolution, height: resolution, channels: channels,
      background: Color(grey: UInt8(clamping: background)), fit: fit, flipProbability: flip)
  }
}
