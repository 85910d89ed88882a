module goldenimage.dev/hack/cluster/helper

go 1.26.0
