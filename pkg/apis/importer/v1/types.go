// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1

import "time"

// Where the parts of a worker's Pod lie.
const (
	// RequestPath is the file that holds the Request.
	RequestPath = "/etc/golden-image/request.json"
	// CredentialsDir holds the keys of the source's Secret as files: accessKeyId and
	// secretKey, or .dockerconfigjson. It is absent when the source is read anonymously.
	CredentialsDir = "/etc/golden-image/credentials"
	// HeadersDir holds a folder for each Secret with headers of an HTTP source, and in it a file
	// for each header, as "Name: value". It is absent when there are none.
	HeadersDir = "/etc/golden-image/headers"
	// CertificatesDir holds PEM files (*.crt, *.pem) of certificate authorities to trust
	// besides the system's. It is absent when there are none.
	CertificatesDir = "/etc/golden-image/certificates"
	// ImageDir is where the kubelet mounts the container image of an image source.
	ImageDir = "/image"
	// SourceDir is where the source volume of a clone is mounted, if it is a Filesystem.
	SourceDir = "/source"
	// SourceDevice is the source volume of a clone, if it is a Block volume.
	SourceDevice = "/dev/golden-image-source"
	// TargetDir is where the target volume is mounted, if it is a Filesystem.
	TargetDir = "/data"
	// TargetDevice is the target volume, if it is a Block volume.
	TargetDevice = "/dev/cdi-block-volume"
	// DiskName is the disk's file in a Filesystem volume.
	DiskName = "disk.img"
	// TerminationMessagePath is where the worker writes the Result.
	TerminationMessagePath = "/dev/termination-log"
)

// ProgressInterval is the longest time between two Progress lines of a running worker.
const ProgressInterval = time.Second

// MaxResultBytes is how much of a termination message the kubelet keeps. A Result's
// message is cut so that the document stays below it.
const MaxResultBytes = 4096

// Exit codes of the worker.
const (
	// ExitDone says that the volume is complete and flushed.
	ExitDone = 0
	// ExitUsage says that the Request was missing or malformed: a fault of the server.
	ExitUsage = 2
	// ExitRetry says that the same Request may succeed later.
	ExitRetry = 3
	// ExitPermanent says that the same Request will fail the same way again.
	ExitPermanent = 4
)

// A Request says what one worker has to do. Exactly one of Registry, HTTP, Image and Clone is
// set.
type Request struct {
	// Registry reads the container disk of an OCI image from its registry.
	Registry *RegistrySource `json:"registry,omitempty"`
	// HTTP reads a disk image that is a file on a web server.
	HTTP *HTTPSource `json:"http,omitempty"`
	// Image reads the container disk of an OCI image that the kubelet mounted at ImageDir.
	Image *ImageSource `json:"image,omitempty"`
	// Clone copies the disk of another volume.
	Clone *CloneSource `json:"clone,omitempty"`
	// Target says what is written.
	Target Target `json:"target"`
}

// RegistrySource names an image by digest in a registry.
type RegistrySource struct {
	// Reference is host[:port]/repository@sha256:<64 hex>. The digest is that of an image
	// manifest or of an index.
	Reference string `json:"reference"`
	// Architecture chooses among the images of an index, and must match the image
	// otherwise. Empty means the worker's own, and no check for a single image.
	Architecture string `json:"architecture,omitempty"`
	// Insecure allows plain HTTP and certificates that do not verify.
	Insecure bool `json:"insecure,omitempty"`
}

// HTTPSource names a file on a web server. Credentials are in CredentialsDir, headers that are
// secret in HeadersDir.
type HTTPSource struct {
	// URL of the file, http:// or https://.
	URL string `json:"url"`
	// Digest is what the file was known by when it was found; a file that does not fit it is
	// refused. Empty means that any file will do.
	Digest string `json:"digest,omitempty"`
	// Checksum of the file as algorithm:hex, of md5, sha1, sha256 or sha512. If it is set it
	// decides, and Digest does not. Empty means that it is not known.
	Checksum string `json:"checksum,omitempty"`
	// Headers are sent with each request to the URL's host, as "Name: value".
	Headers []string `json:"headers,omitempty"`
	// Insecure allows certificates that do not verify.
	Insecure bool `json:"insecure,omitempty"`
}

// ImageSource names an image whose root file system is mounted at ImageDir.
type ImageSource struct {
	// Reference is the image's name, for messages.
	Reference string `json:"reference"`
}

// CloneSource is another volume, mounted at SourceDir or present at SourceDevice.
type CloneSource struct {
	// Block tells that the source is SourceDevice.
	Block bool `json:"block,omitempty"`
	// Name is the source's namespace/name, for messages.
	Name string `json:"name"`
}

// Target is the volume that is filled.
type Target struct {
	// Block tells that the target is TargetDevice; otherwise it is DiskName in TargetDir.
	Block bool `json:"block,omitempty"`
	// SizeBytes is the size that the user asked the disk to have. A disk on a Filesystem
	// volume is grown to it; a larger disk is refused. 0 means the disk's own size.
	SizeBytes int64 `json:"sizeBytes,omitempty"`
	// Preallocate asks for all blocks to be allocated.
	Preallocate bool `json:"preallocate,omitempty"`
}

// Progress is a line of a running worker's output.
type Progress struct {
	// Fraction of the work that is done, from 0 to 1.
	Fraction float64 `json:"fraction"`
	// BytesRead and BytesWritten count from the start of the process.
	BytesRead    int64 `json:"bytesRead"`
	BytesWritten int64 `json:"bytesWritten"`
}

// Reason names what kept a worker from finishing. The values are part of the API: they
// become the reasons of a DataVolume's conditions.
type Reason string

// Reasons of a Result.
const (
	// ReasonDone: the volume is complete.
	ReasonDone Reason = "Completed"
	// ReasonBadRequest: the Request is missing or malformed.
	ReasonBadRequest Reason = "BadRequest"
	// ReasonUnauthorized: the registry refused the credentials, or wants some.
	ReasonUnauthorized Reason = "Unauthorized"
	// ReasonNotFound: the registry does not hold the image.
	ReasonNotFound Reason = "SourceNotFound"
	// ReasonUnreachable: the registry could not be spoken to.
	ReasonUnreachable Reason = "SourceUnreachable"
	// ReasonCertificate: the registry's certificate is not trusted.
	ReasonCertificate Reason = "CertificateNotTrusted"
	// ReasonDigestMismatch: what arrived is not what the digest names.
	ReasonDigestMismatch Reason = "DigestMismatch"
	// ReasonNoDisk: the image holds no disk where a container disk has one, or several.
	ReasonNoDisk Reason = "NoDiskInImage"
	// ReasonFormat: the disk's format is unknown, unsupported or damaged.
	ReasonFormat Reason = "UnsupportedFormat"
	// ReasonTooLarge: the disk does not fit the volume.
	ReasonTooLarge Reason = "VolumeTooSmall"
	// ReasonWriteFailed: the target volume could not be written.
	ReasonWriteFailed Reason = "WriteFailed"
	// ReasonReadFailed: the source volume or image could not be read.
	ReasonReadFailed Reason = "ReadFailed"
	// ReasonInterrupted: the worker was told to stop.
	ReasonInterrupted Reason = "Interrupted"
)

// A Result is how a worker ended.
type Result struct {
	// Reason is ReasonDone, or what went wrong.
	Reason Reason `json:"reason"`
	// Message is one sentence for the user; it holds no credential.
	Message string `json:"message,omitempty"`
	// Digest of the image manifest that was read, "" for a clone.
	Digest string `json:"digest,omitempty"`
	// VirtualSizeBytes is the size of the disk before it was grown, 0 if it is not known.
	VirtualSizeBytes int64 `json:"virtualSizeBytes,omitempty"`
	// Format of the source disk, such as "qcow2" or "raw".
	Format string `json:"format,omitempty"`
	// BytesRead and BytesWritten by this process.
	BytesRead    int64 `json:"bytesRead,omitempty"`
	BytesWritten int64 `json:"bytesWritten,omitempty"`
	// Labels that the image gives the volume (KubeVirt's default instance type and
	// preference).
	Labels map[string]string `json:"labels,omitempty"`
}
